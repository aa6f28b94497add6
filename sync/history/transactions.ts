import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { NotedCommit } from '../capture/commit-notes.js'
import { entryColumns, entryTable, historyLog } from '../capture/history-log.js'
import type { HistoryState } from './history-schema.js'
import type { KnownCapture } from './history-table.js'

/**
 * Gives every transaction beyond what the history has, with entries or a change of the schema, its
 * position and its instant: when it was made by the clock, or a microsecond after the one before,
 * whichever is later. So instants rise strictly, whatever the clock does. `temp.tx` then has the
 * transactions by the `seq` at which they end, and the one after which they began.
 *
 * @param ends of transactions, rising; the last one is the head of the log
 * @param notes of who made some of them
 * @returns the last position and instant that were given out
 */
export function addTransactions(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  { state, ends, notes }: TransactionEnds,
): Pick<HistoryState, 'position' | 'instant'> {
  history.exec(`create table temp.tx(
    ends integer primary key, after integer not null, at integer, position integer,
    has_entries integer not null default 0, actor, message)`)
  const end = history.prepare(
    'insert into temp.tx(ends, after) values (cast(? as integer), cast(? as integer))',
  )
  for (const [index, seq] of ends.entries()) {
    end.run(seq, ends[index - 1] ?? state.seq)
  }
  for (const { id } of captures) {
    history.exec(
      `update temp.tx set at = max(coalesce(tx.at, 0), last.at), has_entries = 1 from (
         select ends as tx_ends, (
           select e.${entryColumns.at} from ${sourceSchema}.${entryTable(id)} e
           where ${isOfTransaction} order by e.${entryColumns.seq} desc limit 1) as at
         from temp.tx t) last
       where tx.ends = last.tx_ends and last.at is not null`,
    )
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

/** An entry `e` belongs to a transaction `t` of `temp.tx`: a range, so that no entry is looked up. */
export const isOfTransaction = `e.${entryColumns.seq} > t.after and e.${entryColumns.seq} <= t.ends`
