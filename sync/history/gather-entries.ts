import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import { historySchema, sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { entryColumns, entryKeyColumns, entryTable } from '../capture/history-log.js'
import { allColumns, type KnownCapture, newestTable } from './history-table.js'
import { comparableUniques } from './replaced-rows.js'
import { isOfTransaction } from './transactions.js'

/**
 * Gathers the entries of one table that belong to the transactions of `temp.tx` in `temp.entry`, in
 * the order of the log, whatever capture wrote them: `seq`, `event`, `present`, `capture`, the
 * position `tx` of their transaction, the key, the `previous` version that the history has of it and what
 * stands there `before` (0, or `step` of `newest_<id>`), and the columns of unique indexes. The other values
 * stay where they are: whole rows are moved once only.
 *
 * @param captures of the table that have such entries, in their order
 * @param known all captures that the history knows
 */
export function gatherEntries(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  known: readonly KnownCapture[],
): void {
  const { table } = captures[0] as KnownCapture
  const uniques = uniqueColumns(captures)
  const own = ['seq', 'event', 'present', 'capture', 'tx', ...table.keys, 'previous', 'before']
  const fallbacks = readDefaults(history, table.id)
  const defined = uniques.map((name) => `${name} default ${fallbacks.get(name) ?? 'null'}`)
  history.exec(`create table temp.entry(${[...own, ...defined].join(', ')})`)
  for (const capture of captures) {
    const values = valuesOf(history, capture, known).filter(({ column }) =>
      uniques.includes(column),
    )
    const keys = entryKeyColumns(table.keys.length).map((name) => `e.${name}`)
    const isSame = table.keys.map((key, index) => `n.${key} = ${keys[index]}`).join(' and ')
    const { seq, event, present } = entryColumns
    history.exec(`
      insert into temp.entry(${[...own, ...values.map(({ column }) => column)].join(', ')})
      select e.${seq}, e.${event}, e.${present}, ${capture.id}, t.position,
        ${[...keys, 'n.id', 'coalesce(n.step, 0)', ...values.map(({ value }) => value)].join(', ')}
      from temp.tx t cross join ${sourceSchema}.${entryTable(capture.id)} e on ${isOfTransaction}
        left join ${newestTable(table)} n on ${isSame}`)
  }
}

/** A column of `versionTable`, and what it holds by an entry called `e`. */
export interface EntryValue {
  readonly column: string
  readonly value: string
}

/**
 * The values of the entries of a capture. A column that came later is not among them, and reads as its
 * default; one that was dropped before is NULL.
 *
 * @param known all captures that the history knows
 */
export function valuesOf(
  history: SqliteDatabase,
  capture: KnownCapture,
  known: readonly KnownCapture[],
): readonly EntryValue[] {
  const { shape, columns, table } = capture
  const dropped = allColumns(history, table).filter((column) => wasDropped(column, capture, known))
  return [
    ...columns.map((column, index) => ({
      column,
      value: `e.${quoteIdentifier(shape.columns[index]?.name ?? '')}`,
    })),
    ...dropped.map((column) => ({ column, value: 'null' })),
  ]
}

/** The capture does not have the column, and none after it brought it. */
function wasDropped(
  column: string,
  capture: KnownCapture,
  known: readonly KnownCapture[],
): boolean {
  const having = known.filter(
    ({ table, columns }) => table.id === capture.table.id && columns.includes(column),
  )
  return (
    !having.includes(capture) && !(having.length > 0 && having.every(({ id }) => id > capture.id))
  )
}

function uniqueColumns(captures: readonly KnownCapture[]): readonly string[] {
  const all = captures.flatMap(({ shape, columns }) => comparableUniques(shape, columns).flat())
  return [...new Set(all.map(({ column }) => column))]
}

/** The columns of `versionTable` that have a default, and that as SQL. */
function readDefaults(history: SqliteDatabase, tableId: number): ReadonlyMap<string, string> {
  const rows = history
    .prepare(
      `select name, dflt_value from pragma_table_info(?, '${historySchema}')
       where dflt_value is not null`,
    )
    .raw()
    .all(`version_${tableId}`) as [string, string][]
  return new Map(rows)
}
