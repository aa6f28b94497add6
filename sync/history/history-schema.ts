import { HtapError } from '../../src/core/htap-error.js'
import { uniqueId } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { historyPrefix } from '../capture/change-log.js'

/**
 * The tables of the history file.
 *
 * - `history_meta`: the layout, the name of the history, by `cuts_<id>` how often versions were taken
 *   out of a table, and the `rowid_life` of the source at the last move
 * - `history_state`: how far the source's log has been moved, in which life of it, and what position
 *   and instant were given out last. A position of the history is the `seq` of the log plus `shift`,
 *   which grows when the history notes something that the log does not tell.
 * - `history_table`: a table, under one key. From `begins` on its history is whole: it was begun there,
 *   or older versions were given up. `ended` is the position at which it was dropped.
 * - `history_column`: a column of a table through all its names, `no` in `version_<id>`
 * - `history_capture`: how the entries of a capture are read, and what the columns are called from
 *   position `since` on; `noted` is the order in which they were met
 * - `history_transaction`: instants, in microseconds since 1970, strictly rising with positions. `kind`
 *   is `commit`; `schema` where no row was changed with the schema; `initial` where the rows were there
 *   when the history began; `found` where changes had passed by the log, `set-back` where the database was
 *   restored, at whatever time before, and `erased` where keys were erased. `actor` and `message` are what
 *   the application has noted of it.
 * - `history_schema`: tables, indexes and views of the source from a position on, as JSON
 * - `version_<id>`: what a row was from `position` on, in the order of `id`; `op` is I, U or D, and `previous`
 *   the version of the same key before, NULL for the first one
 * - `newest_<id>`: the newest version of each key that has one. `step` is twice its position, and 1 more where a
 *   row stands there.
 */
const tables = `
  create table history_meta(key text primary key, value) without rowid;
  create table history_state(
    id integer primary key check (id = 1), epoch text, shift integer not null,
    seq integer not null, mark integer, position integer not null, instant integer not null);
  create table history_table(
    id integer primary key, name text not null collate nocase, key_count integer not null,
    key_names text not null, begins integer, ended integer);
  create table history_column(
    table_id integer not null, no integer not null, name text not null, primary key (table_id, no)
  ) without rowid;
  create table history_capture(
    epoch text not null, id integer not null, table_id integer not null, shape text not null,
    columns text not null, is_compared integer not null, noted integer not null,
    since integer not null, primary key (epoch, id)) without rowid;
  create table history_transaction(
    position integer primary key, instant integer not null, kind text not null, actor, message);
  create table history_schema(position integer primary key, objects text not null);
`

/** Raised when the tables above change their meaning. */
const layoutVersion = 2

/**
 * Creates the tables of a new history; must run inside a write transaction.
 *
 * @param file a connection to it alone
 * @throws HtapError `history-unusable` when the file is something else, or of a later version
 */
export function installHistory(file: SqliteDatabase): void {
  const names = file
    .prepare("select name from main.sqlite_schema where type = 'table'")
    .pluck()
    .all() as string[]
  if (names.length === 0) {
    file.exec(tables)
    const note = file.prepare('insert into history_meta(key, value) values (?, ?)')
    note.run('layout', layoutVersion)
    note.run('id', uniqueId())
    file.exec(
      `insert into history_state(id, epoch, shift, seq, mark, position, instant)
       values (1, null, 0, 0, null, 0, 0)`,
    )
    return
  }
  const layout = names.includes('history_meta')
    ? file
        .prepare("select value from history_meta where key = 'layout'")
        .pluck()
        .safeIntegers(false)
        .get()
    : null
  if (layout !== layoutVersion) {
    throw new HtapError('history-unusable', 'the file is no history that this version can read', {
      hint: 'give the history a path of its own, and use one version of kysely-htap everywhere',
      facts: { layout },
    })
  }
}

/** The name under which the history keeps its place in the source's log. */
export function readConsumerId(history: SqliteDatabase): string {
  const id = history
    .prepare("select value from history.history_meta where key = 'id'")
    .pluck()
    .get()
  return `${historyPrefix}${String(id)}`
}

/** How far the history has got. */
export interface HistoryState {
  /** The life of the source's log; null before the first move. */
  readonly epoch: string | null
  readonly shift: number
  readonly seq: number
  readonly mark: bigint | null
  readonly position: number
  /** Microseconds since 1970. */
  readonly instant: number
}

export function readHistoryState(history: SqliteDatabase): HistoryState {
  const [epoch, shift, seq, mark, position, instant] = history
    .prepare('select epoch, shift, seq, mark, position, instant from history.history_state')
    .raw()
    .safeIntegers()
    .get() as [string | null, bigint, bigint, bigint | null, bigint, bigint]
  return {
    epoch,
    shift: Number(shift),
    seq: Number(seq),
    mark,
    position: Number(position),
    instant: Number(instant),
  }
}

export function writeHistoryState(history: SqliteDatabase, state: HistoryState): void {
  history
    .prepare(
      `update history.history_state set epoch = ?, shift = cast(? as integer),
       seq = cast(? as integer), mark = ?, position = cast(? as integer),
       instant = cast(? as integer)`,
    )
    .run(state.epoch, state.shift, state.seq, state.mark, state.position, state.instant)
}
