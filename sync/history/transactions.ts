import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import { historySchema, sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { NotedCommit } from '../capture/commit-notes.js'
import { entryColumns, entryKeyColumns, entryTable, historyLog } from '../capture/history-log.js'
import type { HistoryState } from './history-schema.js'
import { allColumns, type HistoryTable, type KnownCapture } from './history-table.js'

/**
 * Gives every transaction with entries, or with a change of the schema, beyond what the history has its position and its instant:
 * when it was made by the clock, or a microsecond after the one before, whichever is later. So
 * instants rise strictly, whatever the clock does. `temp.tx` then has the transactions by the `seq` at
 * which they end.
 *
 * @param ends of transactions; the last one is the head of the log
 * @param notes of who made some of them
 * @returns the last position and instant that were given out
 */
export function addTransactions(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  { state, ends, notes }: TransactionEnds,
): Pick<HistoryState, 'position' | 'instant'> {
  history.exec(`create table temp.tx(
    ends integer primary key, at integer, position integer, has_entries integer not null default 0,
    actor, message)`)
  const end = history.prepare('insert into temp.tx(ends) values (cast(? as integer))')
  for (const seq of ends) {
    end.run(seq)
  }
  for (const { id } of captures) {
    history
      .prepare(
        `update temp.tx set at = max(coalesce(tx.at, 0), last.at), has_entries = 1 from (
           select (select min(ends) from temp.tx where ends >= e.${entryColumns.seq}) as ends,
             max(e.${entryColumns.at}) as at
           from ${sourceSchema}.${entryTable(id)} e
           where e.${entryColumns.seq} > ? and e.${entryColumns.seq} <= ? group by 1) last
         where tx.ends = last.ends`,
      )
      .run(state.seq, ends.at(-1))
  }
  const note = history.prepare(
    `update temp.tx set at = max(coalesce(at, 0), cast(? as integer)), has_entries = 1, actor = ?,
       message = ?
     where ends = ?`,
  )
  for (const { seq, at, actor, message } of notes) {
    note.run(at, actor, message, seq)
  }
  history
    .prepare(
      `update temp.tx set at = max(coalesce(tx.at, 0), last.at) from (
         select (select min(ends) from temp.tx where ends >= s.seq) as ends, max(s.at) as at
         from ${sourceSchema}.${historyLog.schemaTable} s where s.seq > ? and s.seq <= ? group by 1) last
       where tx.ends = last.ends`,
    )
    .run(state.seq, ends.at(-1))
  history
    .prepare('update temp.tx set position = ends + cast(? as integer) where at is not null')
    .run(state.shift)
  history
    .prepare(
      `insert into history.history_transaction(position, instant, kind, actor, message)
       select position, n + max(cast(? as integer), max(at * 1000 - n) over (order by position)),
         iif(has_entries, 'commit', 'schema'), actor, message
       from (select position, at, has_entries, actor, message, row_number() over (order by position) as n
             from temp.tx where position is not null)`,
    )
    .run(state.instant)
  history
    .prepare(
      `insert or replace into history.history_schema(position, objects)
       select (select position from temp.tx where ends >= s.seq order by ends limit 1), s.objects
       from ${sourceSchema}.${historyLog.schemaTable} s where s.seq > ? and s.seq <= ? order by s.seq`,
    )
    .run(state.seq, ends.at(-1))
  const [position, instant] = history
    .prepare(
      'select position, instant from history.history_transaction order by position desc limit 1',
    )
    .raw()
    .safeIntegers(false)
    .get() as [number, number]
  return { position, instant }
}

interface TransactionEnds {
  readonly state: HistoryState
  readonly ends: readonly number[]
  readonly notes: readonly NotedCommit[]
}

/**
 * Gathers the entries of one table between two positions of the log in `temp.entry`, whatever capture
 * wrote them: `seq`, `event`, `present`, the position `tx` of their transaction, key and columns. A
 * column that came later reads as its default in them; one that was dropped before, as NULL.
 *
 * @param captures of the table that have such entries
 * @param known all captures that the history knows
 */
export function gatherEntries(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  known: readonly KnownCapture[],
  after: number,
  upTo: number,
): void {
  const { table } = captures[0] as KnownCapture
  const { keys } = table
  const columns = readColumnDefaults(history, table)
  const own = ['seq', 'event', 'present', 'tx', ...keys].join(', ')
  const defined = columns.map(([name, fallback]) => `${name} default ${fallback ?? 'null'}`)
  history.exec(`create table temp.entry(${[own, ...defined].join(', ')})`)
  for (const capture of captures) {
    const { shape, id } = capture
    const dropped = columns.map(([name]) => name).filter((name) => wasDropped(name, capture, known))
    const values = [...entryKeyColumns(keys.length), ...shape.columns.map(quotedName)]
    const target = [...keys, ...capture.columns, ...dropped].join(', ')
    const selected = [...values.map((name) => `e.${name}`), ...dropped.map(() => 'null')].join(', ')
    history
      .prepare(
        `insert into temp.entry(seq, event, present, tx, ${target})
         select e.${entryColumns.seq}, e.${entryColumns.event}, e.${entryColumns.present},
           (select position from temp.tx where ends >= e.${entryColumns.seq} order by ends limit 1),
           ${selected}
         from ${sourceSchema}.${entryTable(id)} e
         where e.${entryColumns.seq} > ? and e.${entryColumns.seq} <= ?`,
      )
      .run(after, upTo)
  }
  history.exec(`create index temp.entry_key on entry(${keys.join(', ')}, seq)`)
}

/** The columns that the table ever had, with their defaults as SQL. */
function readColumnDefaults(
  history: SqliteDatabase,
  table: HistoryTable,
): readonly [name: string, fallback: string | null][] {
  const rows = history
    .prepare(`select name, dflt_value from pragma_table_info(?, '${historySchema}') order by cid`)
    .raw()
    .all(`version_${table.id}`) as [string, string | null][]
  const names = allColumns(history, table)
  return rows.filter(([name]) => names.includes(name))
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

function quotedName({ name }: { readonly name: string }): string {
  return quoteIdentifier(name)
}
