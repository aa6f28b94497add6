import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { allColumns, type HistoryTable, versionTable } from './history-table.js'
import { layoutAt, RowReader, readLayouts } from './table-layout.js'
import { lastVersionUpTo } from './version-range.js'
import { requireWhole } from './whole-history.js'

/** In what one row differs between two positions. */
export interface RowDifference {
  readonly difference: 'added' | 'removed' | 'changed'
  /** What identifies the row: the rowid, or the primary key of a WITHOUT ROWID table. */
  readonly key: readonly unknown[]
  /** The row at `from`, by the names that the columns had there; null where there was none. */
  readonly before: Readonly<Record<string, unknown>> | null
  /** The row at `to`. */
  readonly after: Readonly<Record<string, unknown>> | null
}

export interface DiffProps {
  readonly from: number
  readonly to: number
  /** Integers as `bigint`. */
  readonly safeIntegers?: boolean
}

/**
 * The rows in which a table at `to` differs from itself at `from`, in the order in which they were last
 * changed. What has changed and is as before does not differ, nor does a row of which only columns differ
 * that the table does not have at `to`. Costs a look at every version in between, however large the table.
 *
 * @throws HtapError `history-incomplete` when the history does not reach back to `from`
 */
export function* readDiff(
  history: SqliteDatabase,
  table: HistoryTable,
  { from, to, safeIntegers = false }: DiffProps,
): Generator<RowDifference, void, void> {
  requireWhole(history, table, Math.min(from, to))
  const start = lastVersionUpTo(history, table, from)
  const end = lastVersionUpTo(history, table, to)
  const width = table.keys.length
  let last = start
  for (let count: number = limits.historyPageRowsMax; count === limits.historyPageRowsMax; ) {
    requireWhole(history, table, from)
    const layouts = readLayouts(history, table)
    const all = allColumns(history, table)
    const rows = history
      .prepare(differingSql(table, layoutAt(layouts, to).columns, differingRows(table, all)))
      .raw()
      .safeIntegers(safeIntegers)
      .all({ start, end, last, count: limits.historyPageRowsMax }) as unknown[][]
    count = rows.length
    const reader = new RowReader(layouts, all)
    for (const row of rows) {
      const [id, wasThere, isThere] = row.slice(0, 3).map(Number) as [number, number, number]
      const values = row.slice(3 + width)
      const before = wasThere === 1 ? reader.read(values.slice(all.length), from) : null
      const after = isThere === 1 ? reader.read(values.slice(0, all.length), to) : null
      const difference = before === null ? 'added' : after === null ? 'removed' : 'changed'
      last = id
      yield { difference, key: row.slice(3, 3 + width), before, after }
    }
  }
}

/** What the reader below takes: what there was and is, the key, and all columns at the end and at the start. */
function differingRows(table: HistoryTable, all: readonly string[]): string {
  const list = [...table.keys, ...all].map((it) => `v.${it}`)
  return `v.id, coalesce(b.op <> 'D', false), v.op <> 'D', ${[...list, ...all.map((it) => `b.${it}`)].join(', ')}`
}

/**
 * A SELECT of the keys whose rows at the version `:start` and at the version `:end` differ, after the
 * version `:last`. `v` is the version at the end, and `b` the one at the start, if there was any.
 *
 * @param compared the columns that count
 */
export function differingSql(
  table: HistoryTable,
  compared: readonly string[],
  selected: string,
): string {
  const versions = versionTable(table)
  // Bit by bit, as 1 and 1.0 are equal to SQLite and two values.
  const differs = compared.map(
    (it) => `typeof(v.${it}) <> typeof(b.${it}) or v.${it} is not b.${it}`,
  )
  return `select ${selected}
    from ${versions} v left join ${versions} b on b.id = (
      with recursive before(id) as (
        select v.previous union all
        select p.previous from before join ${versions} p on p.id = before.id where before.id > :start)
      select id from before where id <= :start limit 1)
    where v.id > :last and v.id <= :end
      and not exists (select 1 from ${versions} later where later.previous = v.id and later.id <= :end)
      and case when coalesce(b.op, 'D') = 'D' then v.op <> 'D' when v.op = 'D' then true
        else ${['false', ...differs].join(' or ')} end
    order by v.id limit :count`
}
