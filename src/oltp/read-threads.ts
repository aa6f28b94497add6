import type { Piscina } from 'piscina'
import { HtapError } from '../core/htap-error.js'
import { limits } from '../core/limits.js'
import { createThreadPool, endThreadPool } from '../core/thread-pool.js'
import {
  type ReadFailure,
  type ReadRequest,
  type ReadResponse,
  type ReadThreadData,
  toRows,
} from './read-message.js'
import type { SnapshotRead, SnapshotRequest } from './snapshot-read.js'

export interface ThreadAnswer {
  readonly rows: unknown[]
  /** What SQLite needed, without the way there and back. */
  readonly durationMs: number
}

/**
 * Answers reads on threads of their own, so that a long one does not stop the event loop.
 * Threads begin with the first read, end when idle, and keep no process alive.
 */
export class ReadThreads {
  readonly #data: ReadThreadData
  readonly #SqliteError: new (
    message: string,
    code: string,
  ) => Error
  #pool: Piscina | null = null
  #isUnfit = false
  #isClosed = false

  constructor(data: ReadThreadData, SqliteError: new (message: string, code: string) => Error) {
    this.#data = data
    this.#SqliteError = SqliteError
  }

  /** A thread once could not answer, or too many reads wait. */
  get isUnavailable(): boolean {
    return this.#isUnfit || (this.#pool?.queueSize ?? 0) >= limits.readThreadQueueMax
  }

  /**
   * Null when a thread cannot answer this read; it must run elsewhere.
   *
   * @throws SqliteError that SQLite gave while it ran; HtapError `closed`; the signal's reason
   */
  async run(request: ReadRequest, signal?: AbortSignal): Promise<ThreadAnswer | null> {
    const response = await this.#ask<ReadResponse>('read', request, signal)
    if (response === null) {
      return null
    }
    if (response.kind === 'rows') {
      return { rows: toRows(response), durationMs: response.durationMs }
    }
    if (response.stage === 'unfit') {
      return null
    }
    throw new this.#SqliteError(response.message, response.code)
  }

  /**
   * As `run`, with where the source stood in the snapshot that was read.
   *
   * @throws HtapError `closed`; the signal's reason
   */
  async readSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<SnapshotRead | null> {
    const response = await this.#ask<SnapshotRead | ReadFailure>('readSnapshot', request, signal)
    return response === null || response.kind === 'failure' ? null : response
  }

  /** Ends all threads; what still runs on them is given up. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#pool !== null) {
      await endThreadPool(this.#pool)
      this.#pool = null
    }
  }

  async #ask<Response>(
    name: 'read' | 'readSnapshot',
    request: ReadRequest,
    signal?: AbortSignal,
  ): Promise<Response | null> {
    this.#pool ??= createThreadPool(
      new URL('./read-worker.js', import.meta.url),
      {
        maxThreads: limits.readThreadsMax,
        idleTimeout: limits.readThreadIdleMs,
        workerData: this.#data,
      },
      () => {
        this.#isUnfit = true
      },
    )
    try {
      return await this.#pool.run(request, { name, signal: signal ?? null })
    } catch {
      signal?.throwIfAborted()
      if (this.#isClosed) {
        throw new HtapError('closed', 'the database was closed while the query ran')
      }
      // The thread could not start or has died, e.g. because its memory ran out.
      this.#isUnfit = true
      return null
    }
  }
}
