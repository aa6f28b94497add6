/** What the calling thread and a read thread say to each other; everything survives a clone. */
export interface ReadRequest {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly integers: 'number' | 'bigint'
}

export type ReadResponse = ReadRows | ReadFailure

export interface ReadRows {
  readonly kind: 'rows'
  readonly names: readonly string[]
  readonly rowCount: number
  /** One entry per name; all-number columns as doubles that are moved instead of copied. */
  readonly columns: readonly (Float64Array | unknown[])[]
  readonly durationMs: number
}

export interface ReadFailure {
  readonly kind: 'failure'
  /** 'unfit': this thread cannot answer, which says nothing about the statement. */
  readonly stage: 'unfit' | 'run'
  readonly message: string
  readonly code: string
}

export interface ReadThreadData {
  readonly path: string
  /** The file that the path must lead to. */
  readonly identity: string | null
  readonly busyTimeoutMs: number
  /** The version of the SQLite that a thread must have to give the same answers. */
  readonly sqliteVersion: string
}

/** Splits rows, given as arrays, into columns: a third of the cost of cloning row objects. */
export function toColumns(
  rows: readonly (readonly unknown[])[],
  columnCount: number,
): (Float64Array | unknown[])[] {
  return Array.from({ length: columnCount }, (_, column) => {
    if (rows.length > 0 && rows.every((row) => typeof row[column] === 'number')) {
      return Float64Array.from(rows, (row) => row[column] as number)
    }
    return rows.map((row) => row[column])
  })
}

/** Rows as better-sqlite3 makes them: of two columns with one name the last one wins. */
export function toRows(response: ReadRows): unknown[] {
  const { names, columns } = response
  const rows: Record<string, unknown>[] = []
  for (let i = 0; i < response.rowCount; i += 1) {
    rows.push({})
  }
  names.forEach((name, c) => {
    const column = columns[c] ?? []
    rows.forEach((row, i) => {
      row[name] = toValue(column[i])
    })
  })
  return rows
}

/** A clone turns a Buffer into the Uint8Array that it is. */
function toValue(value: unknown): unknown {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value
}

/** Values that survive a clone and that better-sqlite3 binds the same in every thread. */
export function canCross(parameters: readonly unknown[]): boolean {
  return parameters.every(
    (it) =>
      it === null ||
      typeof it === 'string' ||
      typeof it === 'number' ||
      typeof it === 'bigint' ||
      Buffer.isBuffer(it),
  )
}
