import type { Piscina } from 'piscina'
import { limits } from '../../src/core/limits.js'
import { createThreadPool, endThreadPool } from '../../src/core/thread-pool.js'
import { fileIdentity } from '../../src/oltp/file-identity.js'
import type { HistoryFiles } from './task-connection.js'

/** The threads that move and read versions. They begin with the first task, and end when idle. */
export class HistoryThreads {
  readonly #path: string
  readonly #sourcePath: string
  readonly #identity: string | null
  #pool: Piscina | null = null
  #isUnfit = false

  constructor(path: string, sourcePath: string) {
    this.#path = path
    this.#sourcePath = sourcePath
    this.#identity = fileIdentity(sourcePath)
  }

  /** Null where no thread can be started, or would open another file than the one that is open here. */
  get pool(): Piscina | null {
    // A thread opens the path anew, and that may lead to another file by now.
    this.#isUnfit ||= fileIdentity(this.#sourcePath) !== this.#identity
    if (this.#isUnfit) {
      return null
    }
    this.#pool ??= createThreadPool(
      new URL('./history-worker.js', import.meta.url),
      { maxThreads: limits.historyWorkersMax, idleTimeout: limits.workerIdleMs },
      () => {
        this.#isUnfit = true
      },
    )
    return this.#pool
  }

  /** What every task is given. */
  get files(): HistoryFiles {
    return { path: this.#path, sourcePath: this.#sourcePath, identity: this.#identity }
  }

  /** What a function of `history-worker.ts` returns; null where no thread can be started. */
  async run<Result>(name: string, task: object): Promise<{ readonly result: Result } | null> {
    const { pool } = this
    if (pool === null) {
      return null
    }
    try {
      return { result: await pool.run({ ...this.files, ...task }, { name }) }
    } catch (error) {
      if (this.pool === null) {
        return null
      }
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#pool !== null) {
      await endThreadPool(this.#pool)
      this.#pool = null
    }
  }
}
