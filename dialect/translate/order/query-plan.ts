import { keep } from '../keep.js'
import type { QueryPlanRow } from '../translation.js'

/** EXPLAIN QUERY PLAN as the tree that it is. */
export interface PlanNode {
  readonly detail: string
  readonly children: readonly PlanNode[]
}

export function planTree(rows: readonly QueryPlanRow[]): readonly PlanNode[] {
  const childrenOf = (parent: number): readonly PlanNode[] =>
    rows
      .filter((row) => row.parent === parent && row.id !== parent)
      .map((row) => ({ detail: row.detail, children: childrenOf(row.id) }))
  return childrenOf(0)
}

/**
 * Steps that do not touch the order of rows. A loop for EXISTS ends at its first match; a
 * subquery's own steps matter where a loop scans it.
 */
const harmless =
  /^(USE TEMP B-TREE FOR |BLOOM FILTER ON |(CORRELATED )?(SCALAR|LIST) SUBQUERY \d+$|SCAN CONSTANT ROW$|CO-ROUTINE |MATERIALIZE |(SCAN|SEARCH) .* EXISTS($| USING ))/

/** Steps whose order is not derived. */
const obstacles: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^RIGHT-JOIN /, 'right join'],
  [/^MULTI-INDEX OR/, 'or over several indexes'],
  [/^(SCAN|SEARCH) .* VIRTUAL TABLE\b/, 'virtual table'],
  [/^(?!SCAN |SEARCH )/, 'plan not understood'],
]

/**
 * The nested loops of one SELECT, outermost first, as `SCAN x ...` and `SEARCH x ...`.
 *
 * @param nodes The SELECT's own steps. Window functions put them into co-routines, each of which
 * is read back by a scan; the innermost holds the loops.
 */
export function loopsOf(nodes: readonly PlanNode[], throughWindows: boolean): readonly string[] {
  const routine = nodes.find((node) => /^CO-ROUTINE \(subquery-\d+\)$/.test(node.detail))
  if (throughWindows && routine !== undefined) {
    return loopsOf(routine.children, true)
  }
  const others = nodes.filter((node) => !harmless.test(node.detail))
  for (const { detail } of others) {
    const obstacle = obstacles.find(([pattern]) => pattern.test(detail))
    if (obstacle !== undefined) {
      keep(`order: ${obstacle[1]}`)
    }
  }
  return others.map((node) => node.detail)
}

/** Grouping is done by sorting, not by the order of an index. */
export function sortsGroups(nodes: readonly PlanNode[], throughWindows: boolean): boolean {
  const routine = nodes.find((node) => /^CO-ROUTINE \(subquery-\d+\)$/.test(node.detail))
  return throughWindows && routine !== undefined
    ? sortsGroups(routine.children, true)
    : nodes.some((node) => node.detail === 'USE TEMP B-TREE FOR GROUP BY')
}
