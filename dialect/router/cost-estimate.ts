import type { QueryPlanRow } from '../translate/translation.js'

/** What a query would cost in either engine, in milliseconds. */
export interface CostEstimate {
  readonly sqliteMs: number
  readonly duckdbMs: number
}

export interface CostFacts {
  readonly plan: readonly QueryPlanRow[]
  /** Rows of a table by its folded name or alias; plans name either. */
  rowsOf(name: string): number
  /** Rows of all tables of the query together. */
  readonly rowsTotal: number
  /** `select count(*) from t`, which SQLite answers from the pages' headers. */
  readonly isPlainCount: boolean
}

/** Measured on two cores: a step of SQLite's loops, a sorted or grouped row, a counted row. */
const sqliteStepMs = 0.0002
const sqliteCountedRowMs = 0.000_005
/** The fixed price of a DuckDB statement, and what a row of a table adds. */
const duckdbFixedMs = 1
const duckdbRowMs = 0.000_015
/** What an index search without a unique key is taken to find, as a share of the table. */
const equalityShare = 0.001
const rangeShare = 0.25

/**
 * Estimates from SQLite's own plan: nested loops multiply, each search by a unique key finds one
 * row, each scan all rows. Crude on purpose: below some thousand rows SQLite wins, above
 * ten thousand DuckDB, and in between it does not matter.
 */
export function estimateCost(facts: CostFacts): CostEstimate {
  const duckdbMs = duckdbFixedMs + facts.rowsTotal * duckdbRowMs
  if (facts.isPlainCount) {
    return { sqliteMs: facts.rowsTotal * sqliteCountedRowMs, duckdbMs }
  }
  const loopsByParent = new Map<number, number>()
  let steps = 0
  let sorts = 0
  for (const row of facts.plan) {
    const loop = /^(SCAN|SEARCH) (\S+)/.exec(row.detail)
    if (loop !== null) {
      const outer = loopsByParent.get(row.parent) ?? 1
      const found = rowsOfLoop(row.detail, facts.rowsOf(String(loop[2])))
      loopsByParent.set(row.parent, Math.max(1, outer * found))
      steps += outer * Math.max(1, found)
    } else if (row.detail.startsWith('USE TEMP B-TREE')) {
      sorts++
    }
  }
  return { sqliteMs: steps * sqliteStepMs * (1 + 0.5 * sorts), duckdbMs }
}

function rowsOfLoop(detail: string, rows: number): number {
  if (detail.startsWith('SCAN')) {
    return rows
  }
  if (/USING INTEGER PRIMARY KEY \(rowid=\?\)/.test(detail) || /USING PRIMARY KEY/.test(detail)) {
    return 1
  }
  if (/AUTOMATIC/.test(detail)) {
    return Math.max(1, rows * equalityShare)
  }
  const isEquality = /\([^)]*=\?/.test(detail)
  return isEquality
    ? Math.max(1, Math.min(10, rows * equalityShare))
    : Math.max(1, rows * rangeShare)
}
