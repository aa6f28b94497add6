import { keep } from '../keep.js'
import { isAggregate } from '../parse/summarise.js'
import type { FunctionCall } from '../parse/syntax.js'
import { aggregate } from '../rules/aggregates.js'
import { isCollecting } from '../rules/collecting-aggregates.js'
import { compare } from '../rules/comparison.js'
import { scalarFunction } from '../rules/functions.js'
import { isJsonMember } from '../rules/json-members.js'
import { asCondition, asValue, isNumber, oneOf, type Typed, typed, unify } from '../typed.js'
import { compileCollecting } from './collecting-call.js'
import type { CoreContext } from './core-context.js'
import { compileExpression } from './expression.js'
import { compileJsonMember } from './json-member-call.js'
import { compileWindowCall } from './window-call.js'

/** A function call of any sort: scalar, aggregate, or over a window. */
export function compileCall(node: FunctionCall, core: CoreContext): Typed {
  if (node.over === null && isCollecting(node.name)) {
    return compileCollecting(node, core)
  }
  if (node.orderBy.length > 0) {
    keep(`${node.name} with order by`)
  }
  if (node.over !== null) {
    const result = compileWindowCall(node, node.over, core)
    // On its way through the rows of a window SQLite forgets that a text is JSON.
    return result.json === false ? result : { ...result, json: 'unknown' }
  }
  if (node.star ? node.name === 'count' : isAggregate(node.name, node.items.length)) {
    return compileAggregate(node, core)
  }
  if (node.star || node.distinct || node.filter !== null) {
    keep(`function ${node.name}`)
  }
  const [first, second, ...further] = node.items
  if (isJsonMember(node.name) && first && second && further.length === 0) {
    return compileJsonMember(node.name, first, second, core)
  }
  switch (node.name) {
    case 'nullif':
      return nullIf(node, core)
    case 'iif':
    case 'if':
      return conditional(node, core)
    default:
      return scalarFunction(
        node.name,
        node.items.map((item) => compileExpression(item, core)),
      )
  }
}

function compileAggregate(node: FunctionCall, core: CoreContext): Typed {
  core.found.aggregates = true
  const { scope } = core
  const { localUses, outerUses } = scope
  const [item] = node.items
  if (node.items.length > 1) {
    keep(`${node.name} of several arguments`)
  }
  const row = { ...core, grouped: null }
  const operand = item === undefined ? null : compileExpression(item, row)
  const filter = filterSql(node, row)
  if (scope.outerUses > outerUses && scope.localUses === localUses) {
    keep('aggregate of an outer query')
  }
  const frame = { suffix: filter, wholeSuffix: filter }
  const { rowsMax } = core.statement
  const { name, distinct } = node
  const result = aggregate({ name, distinct, operand, frame, rowsMax })
  // The least or the greatest of JSON texts is JSON, but not below a window.
  const mayBeJson = result.type === 'text' && result.json === false && operand?.json
  return mayBeJson ? { ...result, json: 'unknown' } : result
}

export function filterSql(node: FunctionCall, core: CoreContext): string {
  return node.filter === null
    ? ''
    : ` FILTER (WHERE ${asCondition(compileExpression(node.filter, core))})`
}

/** Compares values as they are: no affinity is applied, and another class is another value. */
function nullIf(node: FunctionCall, core: CoreContext): Typed {
  const [first, second] = node.items
  if (first === undefined || second === undefined) {
    return keep('function nullif')
  }
  const a = asValue(compileExpression(first, core))
  const b = asValue(
    second.kind === 'parameter'
      ? core.statement.constants.asOperand(second.index, a)
      : compileExpression(second, core),
  )
  const isSameClass = isNumber(a) ? isNumber(b) : a.type === b.type
  const isEqual = isSameClass
    ? compare('=', { ...a, affinity: 'none' }, { ...b, affinity: 'none' }).sql
    : 'FALSE'
  const sql = `(CASE WHEN ${isEqual} THEN NULL ELSE ${a.sql} END)`
  return { ...oneOf(sql, a.type, [a]), constant: false }
}

function conditional(node: FunctionCall, core: CoreContext): Typed {
  const [condition, first, second] = node.items
  if (condition === undefined || first === undefined || node.items.length > 3) {
    return keep('function iif')
  }
  const no = second === undefined ? typed('NULL', 'null') : compileExpression(second, core)
  const unified = unify([compileExpression(first, core), no])
  if (unified === null) {
    return keep('iif of mixed types')
  }
  const [a, b] = unified.values
  const sql = `(CASE WHEN ${asCondition(compileExpression(condition, core))} THEN ${a?.sql} ELSE ${b?.sql} END)`
  return { ...oneOf(sql, unified.type, unified.values), constant: false }
}
