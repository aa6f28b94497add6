import type { Table as ArrowTable } from 'apache-arrow'
import type { CompiledQuery, QueryResult } from 'kysely'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { steadyClockMs } from '../../src/core/outside-world.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { Analytics, AnalyticsHost, QueryOptions } from '../analytics.js'
import { hintOf, type QueryHint } from '../hints.js'
import type { Candidate } from './candidate.js'
import { CandidateFinder } from './candidate-finder.js'
import { type Freshness, FreshnessGate } from './freshness.js'
import { QueryShapes } from './query-shape.js'
import { allRows, arrowTable, chunks, type Reading, readCandidate } from './reading.js'
import { toResults } from './result-stream.js'
import { explainKept, type RouteExplanation } from './route-explanation.js'
import { type KeptFacts, RouteLog } from './route-log.js'
import { createShadow } from './shadow/create-shadow.js'
import type { Shadow } from './shadow/shadow.js'
import type { ShadowStatus } from './shadow/shadow-counter.js'

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
  /** Counts of decisions, and the last thing that went wrong on the way to DuckDB. */
  readonly log: RouteLog
  readonly #finder: CandidateFinder
  readonly #gate: FreshnessGate
  readonly #shadow: Shadow | null

  /** @param release gives the engine back, which other instances may share */
  constructor(host: AnalyticsHost, engine: SyncEngine, release: () => Promise<void>) {
    this.#host = host
    this.#engine = engine
    this.#release = release
    this.#finder = new CandidateFinder(host, engine)
    this.#gate = new FreshnessGate(engine, host.writer)
    this.log = new RouteLog(host.config.onRoute)
    const [finder, shapes, log] = [this.#finder, this.#shapes, this.log]
    this.#shadow = createShadow({ host, engine, finder, shapes, log })
  }

  get wantsAnswers(): boolean {
    return this.#host.config.onRoute !== undefined
  }

  get engine(): SyncEngine {
    return this.#engine
  }

  get disabledRules(): readonly string[] {
    return [...this.#finder.disabledRules]
  }

  /** Null without shadow mode. */
  get shadow(): ShadowStatus | null {
    return this.#shadow?.status ?? null
  }

  execute(
    query: CompiledQuery,
    options?: QueryOptions,
  ): Promise<QueryResult<unknown> | null> | null {
    const hint = hintOf(query.sql)
    const off = this.#whyOff(hint)
    if (off !== null) {
      return this.#keep(query, off)
    }
    const shape = this.#shapes.of(query)
    if (shape.kind === 'plain' && hint?.engine !== 'duckdb') {
      return this.#keep(query, 'no analytic query')
    }
    if (shape.kind === 'not-understood' && hint?.engine !== 'duckdb') {
      return this.#keep(query, `not understood: ${shape.reason}`)
    }
    const isByCost = hint === undefined && (this.#host.config.routing ?? 'auto') === 'auto'
    if (isByCost && this.#finder.isKnownCheap(query.sql)) {
      return this.#keep(query, 'cheaper on SQLite')
    }
    return this.#answer(query, hint, options, allRows).then((rows) =>
      rows === null ? null : { rows },
    )
  }

  async stream(
    query: CompiledQuery,
    chunkSize: number,
    options?: QueryOptions,
  ): Promise<AsyncIterableIterator<QueryResult<unknown>> | null> {
    const hint = hintOf(query.sql)
    const off = this.#whyOff(hint)
    if (off !== null) {
      return this.#keep(query, off)
    }
    const shape = this.#shapes.of(query)
    if (shape.kind !== 'analytic' && hint?.engine !== 'duckdb') {
      return this.#keep(query, 'no analytic query')
    }
    const answer = await this.#answer(query, hint, options, chunks(chunkSize))
    return answer === null ? null : toResults(answer.first, answer.rest)
  }

  /**
   * As `execute`, without row objects.
   *
   * @throws HtapError `route-impossible` when DuckDB cannot answer
   */
  async arrow(query: CompiledQuery, options?: QueryOptions): Promise<ArrowTable> {
    const hint: QueryHint = { ...hintOf(query.sql), engine: 'duckdb' }
    const table = await this.#answer(query, hint, options, arrowTable)
    if (table === null) {
      throw new HtapError('route-impossible', 'only reads can be had as an Arrow table')
    }
    return table
  }

  /** What would happen to a query now, without running it and without asking for copies. */
  async explain(query: CompiledQuery): Promise<RouteExplanation> {
    const hint = hintOf(query.sql)
    const off = this.#whyOff(hint)
    if (off !== null) {
      return explainKept(query.sql, off, null)
    }
    const found = await this.#finder.find(query, this.#shapes.of(query), hint, 'explain')
    if (found.kind === 'kept') {
      return explainKept(query.sql, found.reason, found.estimate)
    }
    const quarantine = this.#shadow?.whyQuarantined(query.sql) ?? null
    if (quarantine !== null) {
      return explainKept(query.sql, quarantine, found.estimate)
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

  /** The next query that could go to DuckDB compares the schema version itself. */
  noteSchemaChange(): void {
    this.#engine.wake()
  }

  /** SQLite has answered a query that this router kept there. */
  noteAnswered(query: CompiledQuery, durationMs: number): void {
    this.log.answeredBySqlite(query, durationMs)
  }

  async close(): Promise<void> {
    try {
      await this.#shadow?.close()
    } finally {
      await this.#release()
    }
  }

  /** The reason why DuckDB is out of the question before anything is looked at; null if not. */
  #whyOff(hint: QueryHint | undefined): string | null {
    if (hint?.engine !== undefined) {
      return hint.engine === 'sqlite' ? 'asked for' : null
    }
    return this.#host.config.routing === 'sqlite' ? 'routing is off' : null
  }

  /** Null when SQLite has to answer. */
  async #answer<T>(
    query: CompiledQuery,
    hint: QueryHint | undefined,
    options: QueryOptions | undefined,
    reading: Reading<T>,
  ): Promise<T | null> {
    const startMs = performance.now()
    const isForced = hint?.engine === 'duckdb'
    try {
      options?.signal?.throwIfAborted()
      for (let attempt = 1; attempt <= limits.routeAttemptsMax; attempt++) {
        const found = await this.#finder.find(query, this.#shapes.of(query), hint, 'execute')
        if (found.kind === 'kept') {
          const { isRead, reason, estimate } = found
          return this.#giveUp(query, isForced && isRead, reason, { estimate })
        }
        const { estimate } = found
        const quarantine = this.#shadow?.whyQuarantined(query.sql) ?? null
        if (quarantine !== null) {
          return this.#giveUp(query, isForced, quarantine, { estimate })
        }
        const { isFresh, waitMs, lagChanges } = await this.#freshen(found, hint)
        if (!isFresh) {
          const facts = { estimate, waitMs, lagChanges }
          return this.#giveUp(query, isForced, 'the copy is behind', facts)
        }
        const { position } = this.#engine
        const result = await this.#run(found, options, reading)
        if (!this.#finder.isCurrent(found)) {
          // A change brought values for which the query reads differently, or a new copy came.
          await (result === null ? undefined : reading.discard?.(result.value))
          continue
        }
        if (result === null) {
          return this.#giveUp(query, isForced, 'DuckDB refused', { estimate, waitMs, lagChanges })
        }
        this.log.answeredByDuckDb({
          reason: found.reason,
          sql: query.sql,
          duckdbSql: found.translated.sql,
          durationMs: performance.now() - startMs,
          waitMs,
          lagChanges,
          estimate,
        })
        this.#shadow?.offer(query, found, reading.rows?.(result.value), position)
        return result.value
      }
      return this.#giveUp(query, isForced, 'the copy changed its form meanwhile')
    } catch (error) {
      const isImpossible = error instanceof HtapError && error.code === 'route-impossible'
      if (options?.signal?.aborted || isImpossible) {
        throw error
      }
      this.log.lastError = error
      return this.#giveUp(query, isForced, 'the way to DuckDB failed')
    }
  }

  #freshen(found: Candidate, hint: QueryHint | undefined): Promise<Freshness> {
    const { config } = this.#host
    const sync = config.sync || undefined
    return this.#gate.pass(
      hint?.consistency ?? config.consistency ?? 'strong',
      sync?.waitTimeoutMs ?? limits.freshnessWaitMs,
      found.isChosenByCost ? found.estimate.sqliteMs : Number.POSITIVE_INFINITY,
    )
  }

  /** Null when DuckDB refuses or the copy is another by now; a refusal is remembered. */
  async #run<T>(
    found: Candidate,
    options: QueryOptions | undefined,
    reading: Reading<T>,
  ): Promise<{ readonly value: T } | null> {
    const store = this.#engine.store
    if (store === null || !this.#finder.isCurrent(found)) {
      return null
    }
    try {
      return { value: await readCandidate(store, found, reading, options?.signal) }
    } catch (error) {
      if (options?.signal?.aborted) {
        throw error
      }
      this.log.lastError = error
      if (!this.#engine.noteFailure(error) && this.#finder.isCurrent(found)) {
        const isPassing = error instanceof HtapError && error.facts['isPassing'] === true
        found.entry.refusedUntilMs = isPassing
          ? steadyClockMs() + limits.failureRestMs
          : Number.POSITIVE_INFINITY
      }
      return null
    }
  }

  /** SQLite answers, or the caller who insists on DuckDB learns why it cannot. */
  #giveUp(query: CompiledQuery, isForced: boolean, reason: string, facts?: KeptFacts): null {
    if (isForced) {
      throw new HtapError('route-impossible', `DuckDB cannot answer this query: ${reason}`, {
        hint: 'leave the engine to the router, or see explain() for the reason',
        cause: this.log.lastError,
        facts: { reason, sql: query.sql },
      })
    }
    return this.#keep(query, reason, facts)
  }

  #keep(query: CompiledQuery, reason: string, facts?: KeptFacts): null {
    this.log.keep(query, reason, facts)
    return null
  }
}
