import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { Relation } from '../bind/scope.js'
import { Keep, keep } from '../keep.js'
import type { PlanNode } from '../order/query-plan.js'
import type { OrderTerm, Select } from '../parse/syntax.js'
import { typed } from '../typed.js'
import { type CompiledSelect, compileSelect, type SelectContext } from './select.js'

/**
 * A derived table, view or common table with a column `r` that numbers its rows as SQLite's scan
 * meets them. Null where that order is not known.
 *
 * @param name By which SQLite's plan calls it.
 */
export function compileInOrder(
  select: Select,
  name: string,
  context: SelectContext,
): CompiledSelect | null {
  const steps = stepsOf(context.plan?.() ?? [], name)
  if (steps === null || select.body.kind !== 'core') {
    return null
  }
  try {
    return compileSelect(
      { ...select, orderBy: sortedBy(select, steps) },
      { ...context, order: 'rows', plan: () => steps, numbered: true, ordersSubqueries: false },
    )
  } catch (error) {
    if (error instanceof Keep) {
      return null
    }
    throw error
  }
}

/** The relation whose rows a column `r` numbers. */
export function inOrder(relation: Relation): Relation {
  return { ...relation, order: typed(`${relation.emitted}.r`, 'int', { bound: 2 ** 40 }) }
}

/** The steps inside of the one that SQLite computes by itself, at whatever place of the plan. */
function stepsOf(nodes: readonly PlanNode[], name: string): readonly PlanNode[] | null {
  const found: (readonly PlanNode[])[] = []
  const visit = (node: PlanNode): void => {
    const [, own] = /^(?:CO-ROUTINE|MATERIALIZE) (.*)$/.exec(node.detail) ?? []
    if (own !== undefined && foldIdentifier(own) === foldIdentifier(name)) {
      found.push(node.children)
    }
    node.children.forEach(visit)
  }
  nodes.forEach(visit)
  const [only] = found
  return found.length === 1 && only !== undefined ? only : null
}

/**
 * SQLite leaves the ORDER BY of a subquery out where nothing seems to depend on it; then, and where
 * its scan has that order anyway, the plan shows no sorter.
 */
function sortedBy(select: Select, steps: readonly PlanNode[]): readonly OrderTerm[] {
  const { orderBy, limit, body } = select
  const sorts = steps.some(({ detail }) => /^USE TEMP B-TREE FOR .*\bORDER BY$/.test(detail))
  if (sorts || limit !== null) {
    return orderBy
  }
  const groups = body.kind === 'core' && body.groupBy.length > 0
  return groups && orderBy.some((term) => term.descending)
    ? keep('order: groups in the order of a subquery')
    : []
}
