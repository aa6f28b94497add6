import { wallClockMs } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { addMark, changeLog, readLogSpan } from './change-log.js'
import { hasHistoryLog, historyLog } from './history-log.js'

/** Who makes a transaction, and why; kept with its changes. */
export interface CommitNote {
  readonly actor: string | null
  readonly message: string | null
  /**
   * The newest `seq` of the change log before the transaction: `readLogHead` directly after BEGIN
   * IMMEDIATE, or on another connection at any time before COMMIT.
   */
  readonly after: number
}

export function readLogHead(database: SqliteDatabase): number {
  return readLogSpan(database).head
}

/**
 * Notes who makes the transaction that is open. To be called last of all before COMMIT: what the log
 * has from `after` up to now is then known to be this transaction, exactly, whoever watches; what
 * would follow would count as another one. A transaction that has changed nothing is noted, too. The
 * last call in a transaction stands.
 *
 * @returns false where no history is kept, and nothing was noted
 */
export function noteActor(database: SqliteDatabase, note: CommitNote): boolean {
  if (!hasHistoryLog(database)) {
    return false
  }
  database.prepare(`delete from main.${historyLog.commitTable} where seq > ?`).run(note.after)
  if (readLogHead(database) === note.after) {
    addMark(database)
  }
  database
    .prepare(
      `insert into main.${historyLog.commitTable}(seq, after, at, actor, message)
       select max(seq), cast(? as integer), cast(? as integer), ?, ? from main.${changeLog.logTable}`,
    )
    .run(note.after, wallClockMs(), note.actor, note.message)
  return true
}

/** A note as the history reads it. */
export interface NotedCommit extends CommitNote {
  /** The last row of the transaction in the change log. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The notes between two rows of the change log, in their order. */
export function readCommitNotes(
  database: SqliteDatabase,
  schema: string,
  after: number,
  upTo: number,
): readonly NotedCommit[] {
  return database
    .prepare(
      `select seq, after, at, actor, message from ${schema}.${historyLog.commitTable}
       where seq > ? and seq <= ? order by seq`,
    )
    .safeIntegers(false)
    .all(after, upTo) as NotedCommit[]
}
