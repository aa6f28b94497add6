import { arrivedError } from '../../src/core/carried-error.js'
import { checkpointHistory } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryThreads } from './history-threads.js'
import type { HistoryFiles, MoveOutcome, MoveTask } from './history-worker.js'
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
    const task: MoveTask = { ...this.#threads.files, request }
    const outcome = await this.#inThread<MoveOutcome>('move', task)
    if (outcome === null) {
      return moveChanges(this.#history, request)
    }
    if ('error' in outcome) {
      throw arrivedError(outcome.error)
    }
    return outcome.moved
  }

  /** Writes SQLite's own log of the file back, as far as no reader needs it. */
  async checkpoint(): Promise<void> {
    const isDone = await this.#inThread<boolean>('checkpoint', this.#threads.files)
    if (isDone === null) {
      checkpointHistory(this.#history)
    }
  }

  /** Null where no thread can be started. */
  async #inThread<Result>(name: string, task: HistoryFiles): Promise<Result | null> {
    try {
      return ((await this.#threads.pool?.run(task, { name })) as Result) ?? null
    } catch (error) {
      if (this.#threads.pool === null) {
        return null
      }
      throw error
    }
  }
}
