import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { compileExpression } from '../bind/expression.js'
import { findAmong, type Relation } from '../bind/scope.js'
import { equalitiesOf } from '../order/equalities.js'
import { isAggregate } from '../parse/summarise.js'
import type { Expression, Select, SelectCore } from '../parse/syntax.js'
import { visitExpression } from '../parse/visit-expression.js'
import { asCondition, type Typed } from '../typed.js'
import { clauseContext } from './clause-context.js'
import { type CompiledFrom, compileFrom, type Surroundings } from './from.js'
import { compileItem, expandItems } from './items.js'

/**
 * A derived table or view that only joins and filters, as part of the FROM around it, which is what
 * SQLite makes of it: its plan then names the tables inside, and so the order of their rows is
 * known. Null for any other.
 *
 * @param name By which the statement calls it.
 * @param names Of its columns, where a view gives them.
 */
export function flatten(
  select: Select,
  name: string,
  names: readonly string[] | null,
  around: Surroundings,
): CompiledFrom | null {
  const core = plainCore(select)
  if (core?.from == null) {
    return null
  }
  const from = compileFrom(core.from, around)
  const context = clauseContext(core, from, [], around)
  const columns = expandItems(core, from).map((item) => compileItem(item, context))
  if (
    columns.some((column) => column.value.constant) ||
    (names?.length ?? columns.length) !== columns.length
  ) {
    return null
  }
  const own = columns.map((column, i) => {
    const value: Typed = { ...column.value, json: false, read: null, literal: false }
    return { name: names?.[i] ?? column.name, value: () => value }
  })
  const relation: Relation = {
    name: foldIdentifier(name),
    emitted: '',
    columns: own,
    find: findAmong(own),
    table: null,
    rowid: null,
    order: null,
    keys: [],
  }
  const { where } = core
  return {
    ...from,
    relations: [relation],
    merged: new Map(),
    conditions: [
      ...from.conditions,
      ...(where === null ? [] : [asCondition(compileExpression(where, context))]),
    ],
    equalities: [...from.equalities, ...(where === null ? [] : equalitiesOf(where, context))],
  }
}

function plainCore(select: Select): SelectCore | null {
  const { body, ctes, orderBy, limit, offset } = select
  const isBare = ctes.length === 0 && orderBy.length === 0 && limit === null && offset === null
  return isBare &&
    body.kind === 'core' &&
    !body.distinct &&
    body.groupBy.length === 0 &&
    body.having === null &&
    body.columns.every((column) => column.kind === 'star' || isPlain(column.expression))
    ? body
    : null
}

/** Neither an aggregate nor a window function, nor a subquery that would be computed twice. */
function isPlain(expression: Expression): boolean {
  let plain = true
  visitExpression(expression, {
    expression: (node) => {
      if (node.kind === 'function') {
        plain &&= node.over === null && !isAggregate(node.name, node.items.length) && !node.star
      }
    },
    select: () => {
      plain = false
    },
  })
  return plain
}
