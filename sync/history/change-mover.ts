import { arrivedError } from '../../src/core/carried-error.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryThreads } from './history-threads.js'
import type { MoveOutcome, MoveTask } from './history-worker.js'
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
    const outcome = await this.#run({ ...this.#threads.files, request })
    if (outcome === null) {
      return moveChanges(this.#history, request)
    }
    if ('error' in outcome) {
      throw arrivedError(outcome.error)
    }
    return outcome.moved
  }

  /** Null where no thread can be started. */
  async #run(task: MoveTask): Promise<MoveOutcome | null> {
    try {
      return ((await this.#threads.pool?.run(task, { name: 'move' })) as MoveOutcome) ?? null
    } catch (error) {
      if (this.#threads.pool === null) {
        return null
      }
      throw error
    }
  }
}
