import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  IdentifierNode,
  type QueryCompiler,
  RawNode,
  type TransactionSettings,
} from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import { SqliteEngine } from '../src/oltp/sqlite-engine.js'
import type { Analytics, AnalyticsFactory, QueryOptions } from './analytics.js'
import { HtapConnection } from './htap-connection.js'
import type { HtapDialectConfig } from './htap-dialect-config.js'

/**
 * Connects Kysely with SQLite and, where a factory for them is given, with the analytics.
 *
 * SQLite has one writer, so writes and transactions take turns in the order of asking. Reads
 * outside of a transaction do not wait for it.
 */
export class HtapDriver implements Driver {
  readonly #config: HtapDialectConfig
  readonly #createAnalytics: AnalyticsFactory | null
  #engine: SqliteEngine | null = null
  #analytics: Analytics | null = null
  #closing: Promise<void> | null = null

  constructor(config: HtapDialectConfig, createAnalytics: AnalyticsFactory | null = null) {
    this.#config = Object.freeze({ ...config })
    this.#createAnalytics = createAnalytics
  }

  /** @internal what may answer the reads of this instance; null without a copy to read from */
  get analytics(): Analytics | null {
    return this.#analytics
  }

  /** @internal */
  get isConnected(): boolean {
    return this.#engine !== null
  }

  /** @internal */
  get isClosed(): boolean {
    return this.#closing !== null
  }

  /** Opens the database. After a failure it can be called again. */
  async init(options?: QueryOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    const engine = await SqliteEngine.open(this.#config)
    try {
      const host = { config: this.#config, writer: engine.writer, path: engine.path }
      this.#analytics = (await this.#createAnalytics?.(host)) ?? null
    } catch (error) {
      await engine.abandon()
      throw error
    }
    if (this.#analytics !== null) {
      engine.writer.observe(this.#analytics)
    }
    this.#engine = engine
  }

  /** Never throws and never waits: what cannot be done is refused when it is executed. */
  async acquireConnection(): Promise<DatabaseConnection> {
    const engine = this.#engine
    if (engine === null) {
      throw new HtapError('closed', 'the driver is not connected')
    }
    return new HtapConnection(engine.openSession(), this.#analytics, replacements)
  }

  /**
   * Every isolation level is honoured, since SQLite gives the strongest one to all. `read only` is
   * enforced. Any other transaction begins as a writer, so that it can never fail half-way
   * because somebody else wrote first.
   *
   * See https://www.sqlite.org/lang_transaction.html#deferred_immediate_and_exclusive_transactions
   */
  async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const { session } = connection as HtapConnection
    const readOnly = settings.accessMode === 'read only'
    await session.enterTransaction({ readOnly })
    try {
      const asReader = readOnly || this.#engine?.writer.database.readonly === true
      await connection.executeQuery(asReader ? CompiledQuery.raw('begin') : beginWriter)
    } catch (error) {
      session.leaveTransaction()
      throw error
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const { session } = connection as HtapConnection
    await connection.executeQuery(CompiledQuery.raw('commit'))
    session.leaveTransaction()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const { session } = connection as HtapConnection
    try {
      // SQLite ends a transaction by itself after some errors, e.g. `on conflict rollback`.
      if (session.hasOpenTransaction) {
        await connection.executeQuery(CompiledQuery.raw('rollback'))
      }
    } finally {
      session.leaveTransaction()
    }
  }

  async savepoint(
    connection: DatabaseConnection,
    savepointName: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.executeQuery(savepointQuery('savepoint', savepointName, compileQuery))
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    savepointName: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.executeQuery(savepointQuery('rollback to', savepointName, compileQuery))
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    savepointName: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.executeQuery(savepointQuery('release', savepointName, compileQuery))
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { session } = connection as HtapConnection
    session.release()
  }

  /**
   * Waits for what runs, refuses what comes, then closes everything, the database included, as
   * Kysely's own dialect does. Calling it again changes nothing.
   *
   * @throws AggregateError with all failures of closing
   */
  destroy(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const errors: unknown[] = []
    await this.#engine?.drain()
    const collect = (error: unknown) => {
      errors.push(...(error instanceof AggregateError ? error.errors : [error]))
    }
    await this.#analytics?.close().catch(collect)
    await this.#engine?.close().catch(collect)
    if (errors.length > 0) {
      throw new AggregateError(errors, 'closing failed')
    }
  }
}

/** Is logged as `begin`, which is what the user asked for. */
const beginWriter = CompiledQuery.raw('begin')

const replacements: ReadonlyMap<CompiledQuery, string> = new Map([[beginWriter, 'begin immediate']])

function savepointQuery(
  command: string,
  name: string,
  compileQuery: QueryCompiler['compileQuery'],
): CompiledQuery {
  const node = RawNode.createWithChildren([
    RawNode.createWithSql(`${command} `),
    // The compiler quotes the name.
    IdentifierNode.create(name),
  ])
  return compileQuery(node, Object.freeze({ queryId: crypto.randomUUID() }))
}
