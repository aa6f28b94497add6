import type { Table as ArrowTable } from 'apache-arrow'
import type { CompiledQuery, QueryResult } from 'kysely'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import type { OlapReadOptions, OlapStatement, OlapStore } from '../../src/olap/olap-store.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { Analytics, AnalyticsHost, QueryOptions } from '../analytics.js'
import { hintOf, type QueryHint } from '../hints.js'
import type { RouteEvent } from '../htap-dialect-config.js'
import { type Candidate, CandidateFinder } from './candidate-finder.js'
import type { CostEstimate } from './cost-estimate.js'
import { type Freshness, FreshnessGate } from './freshness.js'
import { bindParameters } from './parameters.js'
import { QueryShapes } from './query-shape.js'
import { RouteCounter, type RouteCounts } from './route-counts.js'

/** What would happen to a query, found out without running it. */
export interface RouteExplanation {
  readonly engine: 'sqlite' | 'duckdb'
  readonly reason: string
  readonly sql: string
  /** What DuckDB would run; null where SQLite answers. */
  readonly duckdbSql: string | null
  /** Changes that are committed and not applied yet; null where unknown. */
  readonly lagChanges: number | null
  readonly estimate: CostEstimate | null
}

/**
 * Decides for every read outside of a transaction which engine answers it, and lets DuckDB answer
 * what it is proven to answer as SQLite does. Whatever goes wrong on the way, SQLite answers.
 *
 * The stages, each in its own file: shape of the text, SQLite's own facts, state of the connection,
 * translation, cost (`CandidateFinder`), freshness (`FreshnessGate`), execution (here).
 */
export class QueryRouter implements Analytics {
  readonly #host: AnalyticsHost
  readonly #engine: SyncEngine
  readonly #release: () => Promise<void>
  readonly #shapes = new QueryShapes()
  readonly #counter = new RouteCounter()
  readonly #finder: CandidateFinder
  readonly #gate: FreshnessGate
  readonly #keptReasons = new WeakMap<CompiledQuery, Kept>()
  /** The last thing that went wrong on the way to DuckDB; it changed no answer. */
  lastError: unknown = null

  /** @param release gives the engine back, which other instances may share */
  constructor(host: AnalyticsHost, engine: SyncEngine, release: () => Promise<void>) {
    this.#host = host
    this.#engine = engine
    this.#release = release
    this.#finder = new CandidateFinder(host, engine)
    this.#gate = new FreshnessGate(engine, host.writer)
  }

  get wantsAnswers(): boolean {
    return this.#host.config.onRoute !== undefined
  }

  get engine(): SyncEngine {
    return this.#engine
  }

  get counts(): RouteCounts {
    return this.#counter.read()
  }

  execute(
    query: CompiledQuery,
    options?: QueryOptions,
  ): Promise<QueryResult<unknown> | null> | null {
    const hint = hintOf(query.sql)
    if (this.#isOff(hint)) {
      return this.#keep(query, hint?.engine === 'sqlite' ? 'asked for' : 'routing is off')
    }
    const shape = this.#shapes.of(query)
    if (shape.kind === 'plain' && hint?.engine !== 'duckdb') {
      return this.#keep(query, 'no analytic query')
    }
    if (shape.kind === 'not-understood' && hint?.engine !== 'duckdb') {
      return this.#keep(query, `not understood: ${shape.reason}`)
    }
    return this.#answer(query, hint, options, (store, statement, readOptions) =>
      store.rows(statement, readOptions),
    ).then((rows) => (rows === null ? null : { rows }))
  }

  async stream(
    query: CompiledQuery,
    chunkSize: number,
    options?: QueryOptions,
  ): Promise<AsyncIterableIterator<QueryResult<unknown>> | null> {
    const hint = hintOf(query.sql)
    if (this.#isOff(hint)) {
      return this.#keep(query, hint?.engine === 'sqlite' ? 'asked for' : 'routing is off')
    }
    const shape = this.#shapes.of(query)
    if (shape.kind !== 'analytic' && hint?.engine !== 'duckdb') {
      return this.#keep(query, 'no analytic query')
    }
    return this.#answer(query, hint, options, async (store, statement, readOptions) => {
      const chunks = store.stream(statement, { ...readOptions, chunkSize })
      // The first chunk shows whether DuckDB can answer at all; until then SQLite still can.
      const first = await chunks.next()
      return toResults(first, chunks)
    })
  }

  /**
   * As `execute`, without row objects.
   *
   * @throws HtapError `route-impossible` when DuckDB cannot answer
   */
  async arrow(query: CompiledQuery, options?: QueryOptions): Promise<ArrowTable> {
    const hint: QueryHint = { ...hintOf(query.sql), engine: 'duckdb' }
    const table = await this.#answer(query, hint, options, (store, statement, readOptions) =>
      store.arrow(statement, readOptions),
    )
    if (table === null) {
      throw new HtapError('route-impossible', 'only reads can be had as an Arrow table')
    }
    return table
  }

  /** What would happen to a query now, without running it and without asking for copies. */
  async explain(query: CompiledQuery): Promise<RouteExplanation> {
    const hint = hintOf(query.sql)
    const kept = (reason: string, estimate: CostEstimate | null = null): RouteExplanation => ({
      engine: 'sqlite',
      reason,
      sql: query.sql,
      duckdbSql: null,
      lagChanges: null,
      estimate,
    })
    if (this.#isOff(hint)) {
      return kept(hint?.engine === 'sqlite' ? 'asked for' : 'routing is off')
    }
    const found = await this.#finder.find(query, this.#shapes.of(query), hint, 'explain')
    if (found.kind === 'kept') {
      return kept(found.reason, found.estimate)
    }
    const head = this.#engine.headNow()
    return {
      engine: 'duckdb',
      reason: found.reason,
      sql: query.sql,
      duckdbSql: found.translated.sql,
      lagChanges: head === null ? null : Math.max(0, head - this.#engine.position),
      estimate: found.estimate,
    }
  }

  noteCommit(): void {
    this.#gate.noteCommit()
    this.#engine.wake()
  }

  noteSchemaChange(): void {
    // The next query that could go to DuckDB compares the schema version itself.
    this.#engine.wake()
  }

  /** SQLite has answered a query that this router kept there. */
  noteAnswered(query: CompiledQuery, durationMs: number): void {
    const kept = this.#keptReasons.get(query)
    if (kept !== undefined) {
      this.#report({
        engine: 'sqlite',
        reason: kept.reason,
        sql: query.sql,
        duckdbSql: null,
        durationMs,
        waitMs: kept.waitMs,
        lagChanges: kept.lagChanges,
        estimate: kept.estimate,
      })
    }
  }

  close(): Promise<void> {
    return this.#release()
  }

  #isOff(hint: QueryHint | undefined): boolean {
    return (
      hint?.engine === 'sqlite' ||
      (this.#host.config.routing === 'sqlite' && hint?.engine !== 'duckdb')
    )
  }

  /** Null when SQLite has to answer. */
  async #answer<T>(
    query: CompiledQuery,
    hint: QueryHint | undefined,
    options: QueryOptions | undefined,
    run: (store: OlapStore, statement: OlapStatement, options: OlapReadOptions) => Promise<T>,
  ): Promise<T | null> {
    const startMs = performance.now()
    const isForced = hint?.engine === 'duckdb'
    try {
      options?.signal?.throwIfAborted()
      let found = await this.#finder.find(query, this.#shapes.of(query), hint, 'execute')
      if (found.kind === 'kept') {
        return this.#giveUp(query, isForced && found.isRead, found.reason, found.estimate)
      }
      const freshness = await this.#freshen(found, hint)
      if (!freshness.isFresh) {
        return this.#giveUp(query, isForced, 'the copy is behind', found.estimate, freshness)
      }
      if (!this.#finder.isCurrent(found)) {
        // A change that was waited for brought values for which the query reads differently.
        found = await this.#finder.find(query, this.#shapes.of(query), hint, 'execute')
        if (found.kind === 'kept') {
          const { isRead, reason, estimate } = found
          return this.#giveUp(query, isForced && isRead, reason, estimate, freshness)
        }
      }
      const result = await this.#run(found, query, options, run)
      if (result === null || !this.#finder.isCurrent(found)) {
        const reason = result === null ? 'DuckDB refused' : 'the copy changed its form meanwhile'
        return this.#giveUp(query, isForced, reason, found.estimate, freshness)
      }
      this.#counter.add('duckdb', found.reason)
      this.#report({
        engine: 'duckdb',
        reason: found.reason,
        sql: query.sql,
        duckdbSql: found.translated.sql,
        durationMs: performance.now() - startMs,
        waitMs: freshness.waitMs,
        lagChanges: freshness.lagChanges,
        estimate: found.estimate,
      })
      return result.value
    } catch (error) {
      if (
        options?.signal?.aborted ||
        (error instanceof HtapError && error.code === 'route-impossible')
      ) {
        throw error
      }
      this.lastError = error
      return this.#giveUp(query, isForced, 'the way to DuckDB failed', null, undefined, error)
    }
  }

  #freshen(found: Candidate, hint: QueryHint | undefined): Promise<Freshness> {
    const { config } = this.#host
    const sync = config.sync === false ? undefined : config.sync
    return this.#gate.pass(
      hint?.consistency ?? config.consistency ?? 'strong',
      sync?.waitTimeoutMs ?? limits.freshnessWaitMs,
      found.isChosenByCost ? found.estimate.sqliteMs : Number.POSITIVE_INFINITY,
    )
  }

  /** Null when DuckDB refuses; the refusal is remembered, so that it is paid for once. */
  async #run<T>(
    found: Candidate,
    query: CompiledQuery,
    options: QueryOptions | undefined,
    run: (store: OlapStore, statement: OlapStatement, options: OlapReadOptions) => Promise<T>,
  ): Promise<{ readonly value: T } | null> {
    const store = this.#engine.store
    if (store === null) {
      return null
    }
    const parameters = bindParameters(found.translated.parameters, query.parameters)
    try {
      const value = await run(
        store,
        { sql: found.translated.sql, parameters },
        { columnNames: found.columnNames, integers: found.integers, signal: options?.signal },
      )
      return { value }
    } catch (error) {
      if (options?.signal?.aborted) {
        throw error
      }
      this.lastError = error
      if (this.#finder.isCurrent(found)) {
        found.entry.refusal = error instanceof Error ? error.message : String(error)
      }
      return null
    }
  }

  /** SQLite answers, or the caller who insists on DuckDB learns why it cannot. */
  #giveUp(
    query: CompiledQuery,
    isForced: boolean,
    reason: string,
    estimate: CostEstimate | null,
    freshness?: Freshness,
    cause?: unknown,
  ): null {
    if (isForced) {
      throw new HtapError('route-impossible', `DuckDB cannot answer this query: ${reason}`, {
        hint: 'leave the engine to the router, or see explain() for the reason',
        cause: cause ?? this.lastError,
        facts: { reason, sql: query.sql },
      })
    }
    return this.#keep(query, reason, {
      estimate,
      waitMs: freshness?.waitMs ?? 0,
      lagChanges: freshness?.lagChanges ?? null,
    })
  }

  #keep(query: CompiledQuery, reason: string, facts?: Omit<Kept, 'reason'>): null {
    this.#counter.add('sqlite', reason)
    if (this.#host.config.onRoute !== undefined) {
      this.#keptReasons.set(query, {
        reason,
        ...(facts ?? { estimate: null, waitMs: 0, lagChanges: null }),
      })
    }
    return null
  }

  #report(event: RouteEvent): void {
    try {
      this.#host.config.onRoute?.(Object.freeze(event))
    } catch (error) {
      // An observer must not decide over an answer.
      this.lastError = error
    }
  }
}

interface Kept {
  readonly reason: string
  readonly estimate: CostEstimate | null
  readonly waitMs: number
  readonly lagChanges: number | null
}

async function* toResults(
  first: IteratorResult<Record<string, unknown>[]>,
  rest: AsyncIterableIterator<Record<string, unknown>[]>,
): AsyncIterableIterator<QueryResult<unknown>> {
  try {
    if (!first.done) {
      yield { rows: first.value }
      for await (const rows of rest) {
        yield { rows }
      }
    }
  } finally {
    await rest.return?.()
  }
}
