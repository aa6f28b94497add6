import type { CompiledQuery } from 'kysely'
import type { RouteEvent } from '../htap-dialect-config.js'
import type { CostEstimate } from './cost-estimate.js'
import { RouteCounter, type RouteCounts } from './route-counts.js'

/** What is known of a query that stays on SQLite, besides why. */
export interface KeptFacts {
  readonly estimate?: CostEstimate | null
  readonly waitMs?: number
  readonly lagChanges?: number | null
}

/** Counts decisions and tells the application's observer of them. */
export class RouteLog {
  readonly #onRoute: ((event: RouteEvent) => void) | undefined
  readonly #counter = new RouteCounter()
  readonly #kept = new WeakMap<CompiledQuery, Required<KeptFacts> & { readonly reason: string }>()
  /** The last thing that went wrong on the way to DuckDB; it changed no answer. */
  lastError: unknown = null

  constructor(onRoute: ((event: RouteEvent) => void) | undefined) {
    this.#onRoute = onRoute
  }

  get counts(): RouteCounts {
    return this.#counter.read()
  }

  /** The query goes to SQLite; `answeredBySqlite` reports it when the answer is there. */
  keep(query: CompiledQuery, reason: string, facts: KeptFacts = {}): void {
    this.#counter.add('sqlite', reason)
    if (this.#onRoute !== undefined) {
      const { estimate = null, waitMs = 0, lagChanges = null } = facts
      this.#kept.set(query, { reason, estimate, waitMs, lagChanges })
    }
  }

  answeredBySqlite(query: CompiledQuery, durationMs: number): void {
    const kept = this.#kept.get(query)
    if (kept !== undefined) {
      this.#report({ engine: 'sqlite', sql: query.sql, duckdbSql: null, durationMs, ...kept })
    }
  }

  answeredByDuckDb(event: Omit<RouteEvent, 'engine'>): void {
    this.#counter.add('duckdb', event.reason)
    this.#report({ engine: 'duckdb', ...event })
  }

  #report(event: RouteEvent): void {
    try {
      this.#onRoute?.(Object.freeze(event))
    } catch (error) {
      // An observer must not decide over an answer.
      this.lastError = error
    }
  }
}
