import { arrivedError } from '../../src/core/carried-error.js'
import { checkpointHistory } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryThreads } from './history-threads.js'
import type { MoveOutcome } from './history-worker.js'
import { type MovedChanges, type MoveRequest, moveChanges } from './move-changes.js'

/**
 * Moves changes into the history in a worker thread: every move waits for the disk, and the event loop
 * must not. Where no thread can be started it is done on the calling one.
 */
export class ChangeMover {
  readonly #history: SqliteDatabase
  readonly #threads: HistoryThreads

  /** @param history a connection to the file that the threads open, with the source beside it */
  constructor(history: SqliteDatabase, threads: HistoryThreads) {
    this.#history = history
    this.#threads = threads
  }

  /** @throws as `moveChanges` does */
  async move(request: MoveRequest): Promise<MovedChanges> {
    const moved = await this.#threads.run<MoveOutcome>('move', { request })
    if (moved === null) {
      return moveChanges(this.#history, request)
    }
    if ('error' in moved.result) {
      throw arrivedError(moved.result.error)
    }
    return moved.result.moved
  }

  /** Writes SQLite's own log of the file back, as far as no reader needs it. */
  async checkpoint(): Promise<void> {
    if ((await this.#threads.run('checkpoint', {})) === null) {
      checkpointHistory(this.#history)
    }
  }
}
