import { HtapError } from '../core/htap-error.js'
import { withCallerStack } from './caller-stack.js'
import type { ReadStreamSource, Reads } from './reads.js'
import type { StatementResult, Writer } from './writer.js'

export interface StatementOptions {
  readonly signal?: AbortSignal | undefined
}

/** What a session asks of, and tells, the engine that opened it. */
export interface SessionHost {
  isClosing(): boolean
  ended(session: SqliteSession): void
}

/**
 * One user's view of the writer: it takes a turn per statement, and keeps the turn while a
 * transaction is open.
 */
export class SqliteSession {
  readonly #writer: Writer
  readonly #reads: Reads | null
  readonly #host: SessionHost
  #turn: Turn = 'none'
  /** Made when the first stream opens: nearly every session answers one statement and ends. */
  #iterators: Set<IterableIterator<unknown>> | null = null
  #readOnly = false
  #ended = false

  /** @param reads places for reads beside the writer; null where there are none */
  constructor(writer: Writer, reads: Reads | null, host: SessionHost) {
    this.#writer = writer
    this.#reads = reads
    this.#host = host
    // While the engine closes, the sessions that it still knows may finish; new ones may not.
    this.#ended = host.isClosing()
  }

  /** The session has a transaction open, begun by `begin` or by a raw statement. */
  get isInTransaction(): boolean {
    return this.#turn === 'transaction' || this.#turn === 'raw-transaction'
  }

  /**
   * A read on another connection, which sees the last commit, is a right answer here: neither the
   * session has a transaction open nor the application on its own instance.
   */
  get mayReadElsewhere(): boolean {
    const isForeign = this.#writer.isFree && this.#writer.database.inTransaction
    return !this.isInTransaction && !isForeign
  }

  /** As `isInTransaction`, but false when SQLite has ended the transaction by itself. */
  get hasOpenTransaction(): boolean {
    return this.isInTransaction && this.#writer.database.inTransaction
  }

  /**
   * Answers at once where nothing has to be waited for, which is most of the time: a promise
   * would cost a key lookup a tenth of its time.
   *
   * @throws SqliteError as better-sqlite3 does; HtapError `closed`; the signal's reason.
   */
  execute(
    sql: string,
    parameters: readonly unknown[],
    options?: StatementOptions,
  ): StatementResult | Promise<StatementResult> {
    this.#assertOpen()
    options?.signal?.throwIfAborted()
    if (this.isInTransaction) {
      return this.#executeInTransaction(sql, parameters)
    }
    try {
      const pending = this.#reads?.start(sql, parameters, options?.signal) ?? null
      if (pending instanceof Promise) {
        return this.#executeAfter(pending, sql, parameters, options)
      }
      if (pending !== null) {
        return pending
      }
    } catch (error) {
      throw withCallerStack(error)
    }
    return this.#writer.tryEnter()
      ? this.#executeInTurn(sql, parameters)
      : this.#writer.enter(options?.signal).then(() => this.#executeInTurn(sql, parameters))
  }

  /** A read elsewhere; if that gives no answer, the writer's connection does. */
  async #executeAfter(
    read: Promise<StatementResult | null>,
    sql: string,
    parameters: readonly unknown[],
    options: StatementOptions | undefined,
  ): Promise<StatementResult> {
    let answer: StatementResult | null
    try {
      answer = await read
    } catch (error) {
      throw withCallerStack(error)
    }
    if (answer !== null) {
      return answer
    }
    if (!this.#writer.tryEnter()) {
      await this.#writer.enter(options?.signal)
    }
    return this.#executeInTurn(sql, parameters)
  }

  /** Runs one statement in the turn that was taken for it. */
  #executeInTurn(sql: string, parameters: readonly unknown[]): StatementResult {
    const wasOpen = this.#writer.database.inTransaction
    try {
      return this.#writer.execute(sql, parameters)
    } catch (error) {
      throw withCallerStack(error)
    } finally {
      // A transaction that the application has open on its own instance is not ours to guard.
      if (!wasOpen && this.#writer.database.inTransaction) {
        this.#turn = 'raw-transaction'
      } else {
        this.#writer.leave()
      }
    }
  }

  /** Takes the turn for a transaction. The caller executes the statement that begins it. */
  async enterTransaction(options: { readonly readOnly: boolean }): Promise<void> {
    this.#assertOpen()
    if (this.isInTransaction) {
      // A raw `begin` came first: SQLite itself refuses the second one.
      return
    }
    await this.#writer.enter()
    this.#turn = 'transaction'
    this.#readOnly = options.readOnly
  }

  /** Gives the turn back after commit or rollback, or when the transaction could not begin. */
  leaveTransaction(): void {
    if (this.#turn !== 'none') {
      this.#turn = 'none'
      this.#readOnly = false
      this.#writer.leave()
    }
  }

  /**
   * Ends the session. A transaction that `begin` opened is rolled back; one that was opened by a
   * raw `begin` stays open on the connection, as it does with better-sqlite3 alone.
   */
  release(): void {
    try {
      for (const iterator of this.#iterators ?? []) {
        iterator.return?.()
      }
      if (this.#turn === 'transaction' && this.#writer.database.inTransaction) {
        this.#writer.execute('rollback', [])
      }
    } finally {
      this.leaveTransaction()
      this.#ended = true
      this.#host.ended(this)
    }
  }

  /**
   * Answers a read in chunks. From a file in WAL mode it reads the last commit on a connection of
   * its own and is in nobody's way. Inside a transaction, from memory, or where only the writer's
   * connection can answer, it holds that connection until the last chunk or until the reader
   * stops: better-sqlite3 refuses to write while a statement is iterated.
   *
   * @throws HtapError `streaming-unsupported` for anything but a plain read; SqliteError
   */
  async *stream(
    sql: string,
    parameters: readonly unknown[],
    chunkSize: number,
    options?: StatementOptions,
  ): AsyncGenerator<unknown[]> {
    this.#assertOpen()
    options?.signal?.throwIfAborted()
    const source = await this.#openStream(sql, parameters, options?.signal)
    try {
      const rows = source.statement.iterate(parameters)
      this.#iterators ??= new Set()
      this.#iterators.add(rows)
      try {
        yield* chunksOf(rows, chunkSize, options?.signal)
      } finally {
        this.#iterators?.delete(rows)
      }
    } catch (error) {
      throw withCallerStack(error)
    } finally {
      source.release()
    }
  }

  async #openStream(
    sql: string,
    parameters: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<ReadStreamSource> {
    if (!this.isInTransaction) {
      const source = await this.#reads?.openStream(sql, parameters, signal)
      if (source) {
        return source
      }
    }
    const ownTurn = !this.isInTransaction
    if (ownTurn && !this.#writer.tryEnter()) {
      await this.#writer.enter(signal)
    }
    const release = () => {
      if (ownTurn) {
        this.#writer.leave()
      }
    }
    try {
      const prepared = this.#writer.statements.getRead(sql)
      if (prepared === null) {
        throw new HtapError('streaming-unsupported', 'only a plain select can be streamed')
      }
      return { statement: prepared.statement, release }
    } catch (error) {
      release()
      throw withCallerStack(error)
    }
  }

  #assertOpen(): void {
    if (this.#ended) {
      throw new HtapError('closed', 'the connection is closed')
    }
  }

  #executeInTransaction(sql: string, parameters: readonly unknown[]): StatementResult {
    if (this.#readOnly) {
      this.#refuseWrite(sql)
    }
    try {
      return this.#writer.execute(sql, parameters)
    } catch (error) {
      throw withCallerStack(error)
    } finally {
      if (this.#turn === 'raw-transaction' && !this.#writer.database.inTransaction) {
        this.leaveTransaction()
      }
    }
  }

  #refuseWrite(sql: string): void {
    if (!this.#writer.statements.get(sql).statement.readonly) {
      throw new HtapError('read-only-violation', 'a read only transaction cannot write', {
        hint: 'leave out `setAccessMode` or set it to "read write"',
        facts: { sql },
      })
    }
  }
}

type Turn = 'none' | 'transaction' | 'raw-transaction'

function* chunksOf(
  rows: Iterable<unknown>,
  chunkSize: number,
  signal: AbortSignal | undefined,
): Generator<unknown[]> {
  let chunk: unknown[] = []
  for (const row of rows) {
    chunk.push(row)
    if (chunk.length >= chunkSize) {
      yield chunk
      signal?.throwIfAborted()
      chunk = []
    }
  }
  if (chunk.length > 0) {
    yield chunk
  }
}
