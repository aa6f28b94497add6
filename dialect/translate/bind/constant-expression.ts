import { isAggregate } from '../parse/summarise.js'
import type { Expression } from '../parse/syntax.js'
import { childrenOf } from '../parse/visit-expression.js'
import { castAffinity } from '../rules/casts.js'
import type { Typed } from '../typed.js'
import type { CoreContext } from './core-context.js'

/** Another value each time, also within a statement, or one that belongs to the connection. */
const volatile = new Set([
  'random',
  'randomblob',
  'changes',
  'total_changes',
  'last_insert_rowid',
  'load_extension',
  'raise',
])

/** Words that are functions without parentheses. */
const clockWords = new Set(['current_date', 'current_time', 'current_timestamp'])

/** Kinds that are already a constant for DuckDB, or never one. */
const plain = new Set<Expression['kind']>([
  'null',
  'integer',
  'real',
  'text',
  'blob',
  'parameter',
  'exists',
  'subquery',
  'collate',
  'row',
])

/**
 * An expression without a column, as SQLite computes it for every execution: dates relative to
 * now, patterns put together from parameters, conversions, functions that DuckDB lacks. Null for
 * any other expression.
 */
export function foldConstant(node: Expression, core: CoreContext): Typed | null {
  if (plain.has(node.kind) || isSigned(node) || !isConstant(node)) {
    return null
  }
  const { statement } = core
  const folded = statement.constants.fold(textOf(node, core), parametersOf(node))
  const value = folded.type === 'text' ? { ...folded, json: constantJson(node) } : folded
  return node.kind === 'cast' ? { ...value, affinity: castAffinity(node.type) } : value
}

/** Whether a text that SQLite has computed is JSON: what comes from there does not say so. */
function constantJson(node: Expression): Typed['json'] {
  if (node.kind === 'function' && (node.name === 'json_array' || node.name === 'json_object')) {
    return true
  }
  return mentionsJson(node) ? 'unknown' : false
}

function mentionsJson(node: Expression): boolean {
  return (
    (node.kind === 'function' && node.name.startsWith('json')) ||
    (node.kind === 'binary' && node.operator.startsWith('->')) ||
    childrenOf(node).some(mentionsJson)
  )
}

/** Kinds without operands. */
const leaves = new Set<Expression['kind']>([
  'null',
  'integer',
  'real',
  'text',
  'blob',
  'parameter',
  'column',
])

/** Asked again at every level of an expression. */
const known = new WeakMap<Expression, boolean>()

export function isConstant(node: Expression): boolean {
  if (!isConstantItself(node)) {
    return false
  }
  if (leaves.has(node.kind)) {
    return true
  }
  let constant = known.get(node)
  if (constant === undefined) {
    constant = childrenOf(node).every(isConstant)
    known.set(node, constant)
  }
  return constant
}

function isConstantItself(node: Expression): boolean {
  switch (node.kind) {
    case 'column':
      return node.bare && clockWords.has(node.name.toLowerCase())
    case 'function':
      return (
        !node.star &&
        node.over === null &&
        node.filter === null &&
        node.orderBy.length === 0 &&
        !volatile.has(node.name) &&
        !isAggregate(node.name, node.items.length)
      )
    case 'exists':
    case 'subquery':
    case 'row':
    case 'collate':
      return false
    case 'in':
      return node.items !== null
    default:
      return true
  }
}

/** `-1`, which is as good as a literal. */
function isSigned(node: Expression): boolean {
  return (
    node.kind === 'unary' &&
    (node.operand.kind === 'integer' ||
      node.operand.kind === 'real' ||
      node.operand.kind === 'null')
  )
}

/** The part of the statement's text that an expression stands in. */
export function textOf(node: Expression, core: CoreContext): string {
  return core.statement.sql.slice(node.start, node.end)
}

/** Positions of the parameters in an expression, in their order in the text. */
export function parametersOf(node: Expression): readonly number[] {
  const found = node.kind === 'parameter' ? [node.index] : childrenOf(node).flatMap(parametersOf)
  return found.sort((a, b) => a - b)
}
