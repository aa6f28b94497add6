import type { ColumnBatch, ColumnVector } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'
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

/** Versions without their values, in pages. */
export interface VersionIdentities {
  /** The number after which they begin, and the last one. */
  readonly after: number
  readonly upTo: number
  readonly pages: readonly ColumnBatch[]
}

/**
 * Reads of the versions after the number `after` up to `upTo` which row they are of, at what position, and
 * what became of the row: all that the mirror does not tell.
 *
 * @param table whose key is integers
 * @returns null where some of these numbers are of no version, or a key is no integer that JavaScript has
 */
export async function readIdentities(
  history: SqliteDatabase,
  table: HistoryTable,
  after: number,
  upTo: number,
): Promise<VersionIdentities | null> {
  const reader = new PageReader(history, table)
  const pages: ColumnBatch[] = []
  for (let from = after; from < upTo; from += limits.batchRowsMax) {
    const page = reader.read(from, Math.min(from + limits.batchRowsMax, upTo))
    if (page === null) {
      return null
    }
    pages.push(page)
    if (pages.length % limits.sliceBatchesMax === 0) {
      await turnOfLoop()
    }
  }
  return { after, upTo, pages }
}

/** A column of a page comes as one text, which takes a third of the time of rows. */
class PageReader {
  readonly #page: SqliteStatement

  constructor(history: SqliteDatabase, table: HistoryTable) {
    const step = `position * 4 + case op when 'D' then 0 when 'I' then 1 else 2 end as step`
    const columns = ['step', ...table.keys].map((name) => `json_group_array(${name})`)
    this.#page = history
      .prepare(
        `select ${columns.join(', ')} from (
           select ${[step, ...table.keys].join(', ')} from ${versionTable(table)}
           where id > ? and id <= ? order by id)`,
      )
      .raw()
  }

  read(after: number, upTo: number): ColumnBatch | null {
    const rowCount = upTo - after
    const columns = [integers(Array.from({ length: rowCount }, (_, index) => after + 1 + index))]
    for (const text of this.#page.get(after, upTo) as string[]) {
      const values = JSON.parse(text) as unknown[]
      if (values.length !== rowCount || !values.every(Number.isSafeInteger)) {
        return null
      }
      columns.push(integers(values as number[]))
    }
    return { rowCount, columns }
  }
}

/** By halves: a `BigInt` of each takes ten times as long. */
function integers(values: readonly number[]): ColumnVector {
  const all = new BigInt64Array(values.length)
  const halves = new Int32Array(all.buffer)
  for (const [index, value] of values.entries()) {
    halves[index * 2] = value
    halves[index * 2 + 1] = Math.floor(value / 2 ** 32)
  }
  return { kind: 'int64', nullCount: 0, validity: null, values: all }
}
