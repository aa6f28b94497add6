import type { CostEstimate } from './cost-estimate.js'

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

export function explainKept(
  sql: string,
  reason: string,
  estimate: CostEstimate | null,
): RouteExplanation {
  return { engine: 'sqlite', reason, sql, duckdbSql: null, lagChanges: null, estimate }
}
