import { isOfConnection } from './connection-error.js'
import { readConnectionTraits } from './connection-traits.js'
import { leadingKeyword, mayBeRead } from './leading-keyword.js'
import type { ReadConnection, ReadConnections } from './read-connections.js'
import { canCross } from './read-message.js'
import { type ReadPlan, ReadPlanner } from './read-planner.js'
import { isBoundToConnection } from './read-program.js'
import type { ReadThreads } from './read-threads.js'
import type { SqliteStatement } from './sqlite-database.js'
import type { PreparedStatement } from './statement-cache.js'
import type { StatementResult, Writer } from './writer.js'

/**
 * Finds the best place for a read outside of a transaction: key lookups on the writer's own
 * connection, or on a second one while somebody holds the writer; long scans on a thread.
 * Whatever only the writer's connection can answer, it answers.
 */
export class Reads {
  readonly #writer: Writer
  readonly #connections: ReadConnections
  readonly #threads: ReadThreads | null
  readonly #planner: ReadPlanner
  readonly #sidePlanners = new WeakMap<ReadConnection, ReadPlanner>()
  readonly #modes: readonly SqliteStatement[]

  constructor(writer: Writer, connections: ReadConnections, threads: ReadThreads | null) {
    this.#writer = writer
    this.#connections = connections
    this.#threads = threads
    this.#planner = new ReadPlanner(writer.database)
    this.#modes = ['pragma journal_mode', 'pragma locking_mode'].map((sql) =>
      writer.database.prepare(sql).pluck(),
    )
  }

  /**
   * Answers a read, at once or later; null, at once or later, when only a turn on the writer's
   * connection will do.
   *
   * @throws SqliteError, at once or later
   */
  start(
    sql: string,
    parameters: readonly unknown[],
    signal?: AbortSignal,
  ): StatementResult | Promise<StatementResult | null> | null {
    if (!this.#writer.isFree) {
      return mayBeRead(leadingKeyword(sql)) ? this.#beside(sql, parameters, signal) : null
    }
    if (this.#writer.database.inTransaction) {
      return null
    }
    const prepared = this.#writer.statements.getRead(sql)
    const plan = prepared === null ? null : this.#planner.plan(prepared, parameters)
    if (prepared === null || plan === null) {
      return null
    }
    if (plan.belongsOnThread && this.#canLeave(plan, sql, parameters)) {
      return this.#onThread(plan, sql, parameters, signal)
    }
    return runInline(prepared, plan, parameters)
  }

  /** A connection on which this read can be streamed without holding the writer; null if none. */
  async openStream(
    sql: string,
    parameters: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<ReadStreamSource | null> {
    const isForeign = this.#writer.isFree && this.#writer.database.inTransaction
    if (isForeign || !mayBeRead(leadingKeyword(sql)) || !this.#isShared()) {
      return null
    }
    const connection = await this.#connections.acquireForStream(signal).catch(() => null)
    signal?.throwIfAborted()
    if (connection === null) {
      return null
    }
    const found = this.#findBeside(connection, sql, parameters)
    if (found === null) {
      this.#connections.releaseStream(connection)
      return null
    }
    return {
      statement: found.prepared.statement,
      release: () => this.#connections.releaseStream(connection),
    }
  }

  async close(): Promise<void> {
    this.#connections.close()
    await this.#threads?.close()
  }

  async #beside(
    sql: string,
    parameters: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<StatementResult | null> {
    if (!this.#isShared()) {
      return null
    }
    const connection = await this.#connections.shared().catch(() => null)
    const found = connection && this.#findBeside(connection, sql, parameters)
    if (found === null) {
      return null
    }
    if (found.plan.belongsOnThread && this.#threads?.isUnavailable === false) {
      const answer = await this.#onThread(found.plan, sql, parameters, signal)
      if (answer !== null) {
        return answer
      }
    }
    try {
      return runInline(found.prepared, found.plan, parameters)
    } catch (error) {
      if (isOfConnection(String((error as { readonly code?: unknown }).code))) {
        return null
      }
      throw error
    }
  }

  /** Prepares a read on another connection, if that connection gives the writer's answer. */
  #findBeside(connection: ReadConnection, sql: string, parameters: readonly unknown[]) {
    try {
      const prepared = connection.statements.getRead(sql)
      if (prepared === null || prepared.keyword === 'explain' || !canCross(parameters)) {
        return null
      }
      const plan = this.#plannerOf(connection).plan(prepared, parameters)
      const traits = readConnectionTraits(this.#writer.database)
      if (plan === null || isBoundToConnection(plan.program, sql, traits)) {
        return null
      }
      prepared.statement.safeIntegers(traits.integers === 'bigint')
      return { prepared, plan }
    } catch {
      // A name that only the writer's connection knows, or a mistake that it will tell of.
      return null
    }
  }

  #plannerOf(connection: ReadConnection): ReadPlanner {
    let planner = this.#sidePlanners.get(connection)
    if (planner === undefined) {
      planner = new ReadPlanner(connection.database)
      this.#sidePlanners.set(connection, planner)
    }
    return planner
  }

  async #onThread(
    plan: ReadPlan,
    sql: string,
    parameters: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<StatementResult | null> {
    const { integers } = readConnectionTraits(this.#writer.database)
    const answer = await this.#threads?.run({ sql, parameters, integers }, signal)
    if (!answer) {
      return null
    }
    plan.noteThread(answer.durationMs)
    return { rows: answer.rows }
  }

  #canLeave(plan: ReadPlan, sql: string, parameters: readonly unknown[]): boolean {
    return (
      this.#threads?.isUnavailable === false &&
      leadingKeyword(sql) !== 'explain' &&
      canCross(parameters) &&
      this.#isShared() &&
      !isBoundToConnection(plan.program, sql, readConnectionTraits(this.#writer.database))
    )
  }

  /** Only in WAL mode readers and the writer leave each other alone (https://sqlite.org/wal.html). */
  #isShared(): boolean {
    const [journal, locking] = this.#modes.map((it) => it.get())
    return journal === 'wal' && locking === 'normal'
  }
}

export interface ReadStreamSource {
  readonly statement: SqliteStatement
  release(): void
}

function runInline(
  prepared: PreparedStatement,
  plan: ReadPlan,
  parameters: readonly unknown[],
): StatementResult {
  const start = performance.now()
  const rows = prepared.statement.all(parameters)
  plan.noteInline(performance.now() - start)
  return { rows }
}
