import type { ColumnBatch, ColumnVector } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type HistoryTable, versionTable } from './history-table.js'
import { operationCode } from './operation-code.js'

/** The columns of identities, before those of the key: all integers. */
export const identityColumns = ['id', 'step'] as const

/** What a version called `n` has by its `step`, in DuckDB; its operation as a code. */
export const stepSql = Object.freeze({
  position: 'n.step // 4',
  operation: 'n.step % 4',
  isEnd: `n.step % 4 = ${operationCode.end}`,
})

/** Versions without their values. */
export interface VersionIdentities {
  /** The number after which they begin, and the last one. */
  readonly after: number
  readonly upTo: number
  /** Their `identityColumns` and their keys, in the order of their numbers. */
  readonly columns: readonly BigInt64Array[]
  /** Keys rise from version to version, so that none is there twice. */
  readonly isRising: boolean
}

/** Of which versions; the table's key is integers. */
export interface IdentitiesCall {
  readonly table: HistoryTable
  readonly after: number
  readonly upTo: number
}

/**
 * Reads of versions which row they are of, at what position, and what became of the row: all that the mirror
 * does not tell.
 *
 * @returns null where some of these numbers are of no version, or a key is no integer that JavaScript has
 */
export async function readIdentities(
  history: SqliteDatabase,
  { table, after, upTo }: IdentitiesCall,
): Promise<VersionIdentities | null> {
  const versions = `from (
    select id, position * 4 + ${operationCode.of} as step, ${table.keys.join(', ')}
    from ${versionTable(table)} where id > ? and id <= ? order by id)`
  const sources = ['step', ...table.keys].map((name) => {
    // Most pages are of one transaction that has done one thing; keys of many new rows follow each other.
    const slope = name === 'step' ? 0 : 1
    const start = `${name} - ${slope} * id`
    return {
      slope,
      bounds: `min(${start}), max(${start}), sum(typeof(${name}) = 'integer')`,
      // A column of a page comes as one text, which takes a third of the time of rows.
      text: history.prepare(`select json_group_array(${name}) ${versions}`).pluck(),
      column: new IntegerColumn(upTo - after),
    }
  })
  const page = history
    .prepare(`select ${sources.map(({ bounds }) => bounds).join(', ')} ${versions}`)
    .raw()
  const ids = new IntegerColumn(upTo - after)
  for (let from = after; from < upTo; from += pageRows) {
    const to = Math.min(from + pageRows, upTo)
    const bounds = page.get(from, to) as (number | null)[]
    const isRead = sources.every(({ slope, text, column }, index) => {
      const [least, most, integers] = bounds.slice(index * 3, index * 3 + 3)
      const first = (least ?? Number.NaN) + slope * (from + 1)
      return least === most && integers === to - from && Number.isSafeInteger(first + to)
        ? column.addRun(first, to - from, slope)
        : column.addText(text.get(from, to) as string, to - from)
    })
    if (!isRead) {
      return null
    }
    ids.addRun(from + 1, to - from, 1)
    await turnOfLoop()
  }
  const columns = sources.map(({ column }) => column)
  const isRising = columns.length === 2 && columns[1]?.isRising === true
  return { after, upTo, columns: [ids, ...columns].map(({ values }) => values), isRising }
}

const pageRows = limits.batchRowsMax * limits.sliceBatchesMax

class IntegerColumn {
  readonly values: BigInt64Array
  readonly #halves: Int32Array
  #count = 0
  #last = Number.NEGATIVE_INFINITY
  /** Each value is larger than the one before. */
  isRising = true

  constructor(rows: number) {
    this.values = new BigInt64Array(rows)
    this.#halves = new Int32Array(this.values.buffer)
  }

  /** False where these are not so many integers. */
  addText(text: string, rows: number): boolean {
    const values = JSON.parse(text) as unknown[]
    if (values.length !== rows || !values.every(Number.isSafeInteger)) {
      return false
    }
    for (const value of values as number[]) {
      this.#add(value)
    }
    return true
  }

  addRun(first: number, rows: number, slope: number): true {
    for (let row = 0; row < rows; row++) {
      this.#add(first + slope * row)
    }
    return true
  }

  #add(value: number): void {
    // By halves: a `BigInt` of each takes ten times as long.
    this.#halves[this.#count * 2] = value
    this.#halves[this.#count * 2 + 1] = Math.floor(value / 2 ** 32)
    this.#count++
    this.isRising &&= value > this.#last
    this.#last = value
  }
}

/** Their columns in pages, as an appender takes them. */
export function* identityPages({
  after,
  upTo,
  columns,
}: VersionIdentities): Generator<ColumnBatch> {
  for (let from = 0; from < upTo - after; from += limits.batchRowsMax) {
    const rowCount = Math.min(limits.batchRowsMax, upTo - after - from)
    const parts = columns.map((values) => values.subarray(from, from + rowCount))
    yield { rowCount, columns: parts.map(integers) }
  }
}

function integers(values: BigInt64Array): ColumnVector {
  return { kind: 'int64', nullCount: 0, validity: null, values }
}
