import type { ColumnBatch, ColumnVector } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type HistoryTable, versionTable } from './history-table.js'

/** The columns of identities, before those of the key: all integers. */
export const identityColumns = ['id', 'step'] as const

/** What a version called `n` has by its `step`, in DuckDB. */
export const stepSql = Object.freeze({
  position: 'n.step // 4',
  operation: "case n.step % 4 when 0 then 'D' when 1 then 'I' else 'U' end",
  isEnd: 'n.step % 4 = 0',
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
  const isText = (name: string) => `json_group_array(${name})`
  const versions = `from (
    select position * 4 + case op when 'D' then 0 when 'I' then 1 else 2 end as step, ${table.keys.join(', ')}
    from ${versionTable(table)} where id > ? and id <= ? order by id)`
  // A column of a page comes as one text, which takes a third of the time of rows.
  const page = history
    .prepare(`select min(step), max(step), ${table.keys.map(isText).join(', ')} ${versions}`)
    .raw()
  const steps = history.prepare(`select ${isText('step')} ${versions}`).pluck()
  const ids = new IntegerColumn(upTo - after)
  const ofSteps = new IntegerColumn(upTo - after)
  const ofKeys = table.keys.map(() => new IntegerColumn(upTo - after))
  for (let from = after; from < upTo; from += pageRows) {
    const to = Math.min(from + pageRows, upTo)
    const [first, last, ...keys] = page.get(from, to) as [number, number, ...string[]]
    if (!ofKeys.every((column, index) => column.add(keys[index] ?? '', to - from))) {
      return null
    }
    // Most pages are of one transaction that has done one thing.
    if (first === last) {
      ofSteps.fill(first, to - from)
    } else {
      ofSteps.add(steps.get(from, to) as string, to - from)
    }
    for (let id = from + 1; id <= to; id++) {
      ids.push(id)
    }
    await turnOfLoop()
  }
  const [ofKey, ...others] = ofKeys
  const columns = [ids, ofSteps, ...ofKeys].map(({ values }) => values)
  return { after, upTo, columns, isRising: others.length === 0 && ofKey?.isRising === true }
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
  add(text: string, rows: number): boolean {
    const values = JSON.parse(text) as unknown[]
    if (values.length !== rows || !values.every(Number.isSafeInteger)) {
      return false
    }
    for (const value of values as number[]) {
      this.push(value)
    }
    return true
  }

  /** @param value a safe integer */
  fill(value: number, rows: number): void {
    this.values.fill(BigInt(value), this.#count, this.#count + rows)
    this.#count += rows
  }

  /** @param value a safe integer */
  push(value: number): void {
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
