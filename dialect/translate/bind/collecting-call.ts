import { keep } from '../keep.js'
import type { Expression, FunctionCall } from '../parse/syntax.js'
import { collectingAggregate } from '../rules/collecting-aggregates.js'
import type { Typed } from '../typed.js'
import { filterSql } from './call.js'
import { type CoreContext, sortSql } from './core-context.js'
import { compileExpression } from './expression.js'
import { compileSortTerms } from './window.js'

/** An aggregate that shows the order of its rows. */
export function compileCollecting(node: FunctionCall, core: CoreContext): Typed {
  if (node.star || node.distinct) {
    keep(`${node.name} distinct`)
  }
  const { scope, found } = core
  const { localUses, outerUses } = scope
  found.aggregates = true
  const row = { ...core, grouped: null }
  const operands = node.items.map((item) => compileExpression(item, row))
  const terms = compileSortTerms(node.orderBy, row)
  const filter = filterSql(node, row)
  if (scope.outerUses > outerUses && scope.localUses === localUses) {
    keep('aggregate of an outer query')
  }
  if (takesTermForOperand(node, [...operands, ...terms.map((term) => term.value)])) {
    keep('aggregate ordered by the like of its operand')
  }
  const sorted = [...terms, ...core.aggregateTail(terms)].map(sortSql)
  const order = sorted.length === 0 ? '' : ` ORDER BY ${sorted.join(', ')}`
  const result = collectingAggregate(node.name, operands, order, filter)
  // Beside a window function SQLite forgets that a text is JSON.
  return result.json === true && found.windows ? { ...result, json: 'unknown' } : result
}

/**
 * SQLite (seen in 3.53) collects the sort term in place of the operand where it holds the two for
 * the same expression, and it takes a column of the first table for the column at the same place of
 * any other: `group_concat(b.name ORDER BY a.name)` returns the names of a.
 */
function takesTermForOperand(node: FunctionCall, values: readonly Typed[]): boolean {
  const [item, ...further] = node.items
  const [term, ...others] = node.orderBy
  return (
    item !== undefined &&
    term !== undefined &&
    further.length + others.length === 0 &&
    withoutColumns(item) === withoutColumns(term.expression) &&
    new Set(values.flatMap((value) => value.sql.match(/\bt\d+\./g) ?? [])).size > 1
  )
}

function withoutColumns(expression: Expression): string {
  return JSON.stringify(expression, (key, value) =>
    key === 'start' || key === 'end' ? undefined : value?.kind === 'column' ? 'column' : value,
  )
}
