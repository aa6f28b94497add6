import { HtapError } from '../core/htap-error.js'
import { limits } from '../core/limits.js'
import type { Connection, DuckDb } from './duckdb-bindings.js'
import { storeClosed } from './olap-failure.js'

/**
 * A few connections that are lent to one statement each, first come first served. Statements
 * run on libuv's four threads, so more at once would only keep file I/O waiting.
 */
export class ConnectionPool {
  readonly #duckdb: DuckDb
  readonly #connections: readonly Connection[]
  readonly #idle: Connection[]
  readonly #waiting: Waiter[] = []
  readonly #running = new Map<Connection, Running>()
  #closed = false

  constructor(duckdb: DuckDb, connections: readonly Connection[]) {
    this.#duckdb = duckdb
    this.#connections = connections
    this.#idle = [...connections]
  }

  /** No statement runs on any of the connections, nor waits for one. */
  get idle(): boolean {
    return this.#idle.length === this.#connections.length
  }

  /**
   * Lends a connection to `task` until the task settles.
   *
   * @param signal rejects with its reason at once: a waiting task never starts, a running one
   * is interrupted and its connection lent again when it has ended
   * @throws HtapError `closed`, `olap-failed` when too many wait already
   */
  async run<T>(task: (connection: Connection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const connection = await this.#take(signal)
    if (this.#closed || signal?.aborted) {
      this.#give(connection)
      throw this.#closed ? storeClosed() : signal?.reason
    }
    const interrupter = new Interrupter(this.#duckdb, connection)
    const work = task(connection)
    const finish = (): void => {
      interrupter.stop()
      this.#running.delete(connection)
      this.#give(connection)
    }
    const ended = work.then(finish, finish)
    this.#running.set(connection, { interrupter, ended })
    try {
      return await untilAborted(work, signal, () => interrupter.start())
    } catch (error) {
      throw this.#closed ? storeClosed() : error
    }
  }

  /** Refuses what waits, interrupts what runs and waits for its end. Idempotent. */
  async drain(): Promise<void> {
    this.#closed = true
    for (const waiter of this.#waiting.splice(0)) {
      waiter.reject(storeClosed())
    }
    const running = [...this.#running.values()]
    for (const { interrupter } of running) {
      interrupter.start()
    }
    await Promise.all(running.map(({ ended }) => ended))
  }

  /** Asks whatever runs to end, without waiting: for a process that exits. */
  interrupt(): void {
    for (const connection of this.#running.keys()) {
      this.#duckdb.interrupt(connection)
    }
  }

  /** Closes the connections; only after `drain`, since closing a busy one never returns. */
  disconnect(): void {
    for (const connection of this.#connections) {
      this.#duckdb.disconnect_sync(connection)
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<Connection> {
    if (this.#closed) {
      throw storeClosed()
    }
    const connection = this.#idle.pop()
    if (connection !== undefined) {
      return connection
    }
    if (this.#waiting.length >= limits.analyticQueueMax) {
      throw new HtapError('olap-failed', `${limits.analyticQueueMax} statements are waiting`)
    }
    return await new Promise<Connection>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        resolve: (lent) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(lent)
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #give(connection: Connection): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#idle.push(connection)
    } else {
      next.resolve(connection)
    }
  }
}

interface Waiter {
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: unknown) => void
}

interface Running {
  readonly interrupter: Interrupter
  readonly ended: Promise<void>
}

/** Interrupts again and again, because DuckDB forgets an interrupt when a statement starts. */
class Interrupter {
  readonly #duckdb: DuckDb
  readonly #connection: Connection
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(duckdb: DuckDb, connection: Connection) {
    this.#duckdb = duckdb
    this.#connection = connection
  }

  start(): void {
    if (this.#timer === undefined && !this.#stopped) {
      this.#duckdb.interrupt(this.#connection)
      this.#timer = setInterval(() => {
        this.#duckdb.interrupt(this.#connection)
      }, limits.interruptRetryMs)
    }
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }
}

async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  interrupt: () => void,
): Promise<T> {
  if (signal === undefined) {
    return await work
  }
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      interrupt()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) {
      onAbort()
    }
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort !== undefined) {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
