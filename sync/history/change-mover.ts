import type { Piscina } from 'piscina'
import { arrivedError } from '../../src/core/carried-error.js'
import { limits } from '../../src/core/limits.js'
import { createThreadPool } from '../../src/core/thread-pool.js'
import { fileIdentity } from '../../src/oltp/file-identity.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { MoveOutcome, MoveTask } from './history-worker.js'
import { type MovedChanges, type MoveRequest, moveChanges } from './move-changes.js'

/**
 * Moves changes into the history in a worker thread: every move waits for the disk, and the event loop
 * must not. Where no thread can be started it is done on the calling one.
 */
export class ChangeMover {
  readonly #history: SqliteDatabase
  readonly #path: string
  readonly #sourcePath: string
  readonly #identity: string | null
  #pool: Piscina | null = null
  #isUnfit = false

  /** @param history a connection to the file at `path`, with the source beside it */
  constructor(history: SqliteDatabase, path: string, sourcePath: string) {
    this.#history = history
    this.#path = path
    this.#sourcePath = sourcePath
    this.#identity = fileIdentity(sourcePath)
  }

  /** @throws as `moveChanges` does */
  async move(request: MoveRequest): Promise<MovedChanges> {
    // A thread opens the path anew, and that may lead to another file by now.
    this.#isUnfit ||= fileIdentity(this.#sourcePath) !== this.#identity
    if (this.#isUnfit) {
      return moveChanges(this.#history, request)
    }
    this.#pool ??= createThreadPool(
      new URL('./history-worker.js', import.meta.url),
      { maxThreads: 1, idleTimeout: limits.workerIdleMs },
      () => {
        this.#isUnfit = true
      },
    )
    const task: MoveTask = {
      path: this.#path,
      sourcePath: this.#sourcePath,
      identity: this.#identity,
      request,
    }
    const outcome = await this.#run(task)
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
      return (await this.#pool?.run(task, { name: 'move' })) as MoveOutcome
    } catch (error) {
      if (this.#isUnfit) {
        return null
      }
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy()
    this.#pool = null
  }
}
