import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { hasLooseRowids, readRowidLife } from '../capture/rowid-life.js'
import type { KnownCapture } from './history-table.js'

const key = 'rowid_life'

/**
 * True where VACUUM has numbered rows of the source anew since the last move. Which of the entries that wait
 * were written before nobody knows, so that those of the tables concerned say nothing: the tables are to
 * be compared, and all of it is one change. Must run inside the transaction of a move, once.
 */
export function noteRowidLife(history: SqliteDatabase): boolean {
  const life = readRowidLife(history)
  const known = history
    .prepare('select value from history.history_meta where key = ?')
    .pluck()
    .safeIntegers(false)
    .get(key) as number | undefined
  if (life !== (known ?? null)) {
    history
      .prepare('insert or replace into history.history_meta(key, value) values (?, ?)')
      .run(key, life)
  }
  return known !== undefined && known !== null && life !== known
}

/** The captures of tables whose rows VACUUM numbers anew are to be compared. */
export function compareLooseTables(
  history: SqliteDatabase,
  epoch: string,
  captures: readonly KnownCapture[],
): readonly KnownCapture[] {
  const note = history.prepare(
    'update history.history_capture set is_compared = 0 where epoch = ? and id = ?',
  )
  return captures.map((capture) => {
    if (!hasLooseRowids(capture.shape)) {
      return capture
    }
    note.run(epoch, capture.id)
    return { ...capture, isCompared: false }
  })
}
