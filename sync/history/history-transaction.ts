import { wallClockMs } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryState } from './history-schema.js'

/**
 * Runs `turn` in a write transaction of the history, which takes the lock of its file and not that of
 * the source beside it, as BEGIN IMMEDIATE would.
 */
export function inHistoryTransaction<T>(history: SqliteDatabase, turn: () => T): T {
  history.exec('begin')
  try {
    history.exec('update history.history_state set seq = seq')
    const result = turn()
    history.exec('commit')
    return result
  } catch (error) {
    if (history.inTransaction) {
      history.exec('rollback')
    }
    throw error
  }
}

/** What the history notes of itself, and the log does not tell. */
export type NoteKind = 'initial' | 'found' | 'set-back' | 'erased'

/** The state after a transaction that the log does not tell of. */
export function nextState(state: HistoryState): HistoryState {
  const position = Math.max(state.position + 1, state.seq + state.shift)
  const instant = Math.max(state.instant + 1, wallClockMs() * 1000)
  return { ...state, position, instant, shift: position - state.seq }
}

export function addNote(history: SqliteDatabase, state: HistoryState, kind: NoteKind): void {
  history
    .prepare(
      `insert into history.history_transaction(position, instant, kind)
       values (cast(? as integer), cast(? as integer), ?)`,
    )
    .run(state.position, state.instant, kind)
}
