import { ascending, type SortTerm } from '../bind/core-context.js'
import { keep, orderOfSubquery } from '../keep.js'
import { automaticIndexColumns } from '../order/automatic-index.js'
import { Determined, type RowFacts } from '../order/determined.js'
import { loopsOf, sortsGroups } from '../order/query-plan.js'
import { type Scan, scanOrder } from '../order/scan-order.js'
import type { Select } from '../parse/syntax.js'
import type { Typed } from '../typed.js'
import type { SelectContext } from './select.js'
import type { WindowLevel } from './window-levels.js'

export interface Grouping {
  readonly context: SelectContext
  readonly facts: RowFacts
  readonly groups: readonly Typed[]
  readonly select: Select
  readonly levels: readonly WindowLevel[]
}

/**
 * The order in which SQLite has the rows before it evaluates windows, DISTINCT and ORDER BY: that
 * of its scan, or of its groups. All later steps keep it among equal rows.
 */
export function baseOrder(grouping: Grouping): readonly SortTerm[] {
  const { context, facts, groups, levels } = grouping
  const plan = context.plan ?? (() => keep(orderOfSubquery))
  const nodes = plan()
  const throughWindows = levels.length > 0
  if (groups.length > 0 && sortsGroups(nodes, throughWindows)) {
    return sortedGroups(grouping)
  }
  const scan = scanOrder(loopsOf(nodes, throughWindows), facts, scanOf(context))
  return groups.length > 0 ? scannedGroups(scan, groups, facts) : scan
}

/**
 * SQLite 3.53.2, but not 3.54.1, takes the groups as a sorted subquery in FROM brings them, and with
 * that the order as given, whatever direction ORDER BY names. Groups or rows that it sorts itself are in
 * order.
 */
export function requireSorting({ context, levels }: Grouping): void {
  const nodes = context.plan?.() ?? keep(orderOfSubquery)
  const isSorted =
    sortsGroups(nodes, levels.length > 0) ||
    nodes.some(({ detail }) => detail === 'USE TEMP B-TREE FOR ORDER BY')
  if (!isSorted && nodes.some(({ detail }) => /^(CO-ROUTINE|MATERIALIZE) /.test(detail))) {
    keep('order: groups of a sorted subquery')
  }
}

/** What settles the order of rows with equal terms inside of one group. */
export function aggregateTail(terms: readonly SortTerm[], grouping: Grouping): readonly SortTerm[] {
  const { context, facts, groups, levels } = grouping
  const given = [...terms, ...groups.map(ascending)].map((term) => term.value.sql)
  if (new Determined(given, facts).wholeRow) {
    return []
  }
  const [only] = facts.steps
  const order = facts.steps.length === 1 ? (only?.relation.order ?? null) : null
  if (order !== null) {
    return [ascending(order)]
  }
  if (levels.length > 0) {
    keep('order: aggregate beside a window')
  }
  const plan = context.plan ?? (() => keep(orderOfSubquery))
  return scanOrder(loopsOf(plan(), false), facts, scanOf(context))
}

/**
 * A sorter puts groups in ascending order of their keys. But when ORDER BY has as many terms as
 * GROUP BY, SQLite copies the directions over, term by term, whatever the terms are. Below window
 * functions the ORDER BY is what the innermost level sorts by.
 */
function sortedGroups({ groups, select, levels }: Grouping): readonly SortTerm[] {
  const directions = levels.at(-1)?.directions ?? select.orderBy.map((term) => term.descending)
  const copied = directions.length === groups.length
  return groups.map((value, i) => {
    const descending = copied && directions[i] === true
    return { value, descending, nulls: descending ? 'last' : 'first' }
  })
}

/** Groups come as the scan meets them; its leading terms must be the group's keys. */
function scannedGroups(
  scan: readonly SortTerm[],
  groups: readonly Typed[],
  facts: RowFacts,
): readonly SortTerm[] {
  const terms: SortTerm[] = []
  for (const term of scan) {
    const known = new Determined(
      terms.map((earlier) => earlier.value.sql),
      facts,
    )
    if (groups.every((group) => known.has(group.sql))) {
      return terms
    }
    if (groups.some((group) => group.sql === term.value.sql)) {
      terms.push(term)
    } else if (!known.has(term.value.sql)) {
      keep('order: groups in an order of their own')
    }
  }
  const known = new Determined(
    terms.map((term) => term.value.sql),
    facts,
  )
  return groups.every((group) => known.has(group.sql)) ? terms : keep('order: groups not by keys')
}

function scanOf(context: SelectContext): Scan {
  const { statement } = context
  return {
    isBackward: () => scansBackward(context),
    automaticIndex: (loop, table) =>
      automaticIndexColumns(loop, table, statement.queryPlan(), statement.context.program()),
  }
}

/** The program walks some index from its end. Beside a subquery or another arm that might be theirs. */
function scansBackward({ statement, numbered }: SelectContext): boolean {
  const backward = statement.context.program().some((row) => row.opcode === 'Prev')
  const subqueries = statement
    .queryPlan()
    .some(({ detail }) => /SUBQUERY|MATERIALIZE|CO-ROUTINE (?!\(subquery-)/.test(detail))
  return backward && (subqueries || numbered === true)
    ? keep('order: backward scan beside a subquery')
    : backward
}
