import { keep } from '../keep.js'
import type { Expression, InExpression } from '../parse/syntax.js'
import { type Comparison, comparable, compare, hasNumericAffinity } from '../rules/comparison.js'
import { numericTextPattern } from '../rules/text-number.js'
import { asValue, constantText, isNumber, type Typed } from '../typed.js'
import { isConstant, parametersOf, textOf } from './constant-expression.js'
import type { CoreContext } from './core-context.js'
import { compileExpression, truth } from './expression.js'
import { compileInSubquery } from './subquery.js'

/** A comparison of two operands, or of two rows item by item. */
export function compileComparison(
  operator: Comparison,
  left: Expression,
  right: Expression,
  core: CoreContext,
): Typed {
  if (left.kind === 'row' || right.kind === 'row') {
    return compareRows(operator, left, right, core)
  }
  const [a, b] = compileOperands(left, right, core)
  return compare(operator, a, b)
}

/** Both sides; a constant takes the class of what stands beside it where SQLite sees it so. */
export function compileOperands(
  left: Expression,
  right: Expression,
  core: CoreContext,
): readonly [Typed, Typed] {
  if (isConstant(left) && !isConstant(right)) {
    const b = compileExpression(right, core)
    return [constantBeside(b, left, core), b]
  }
  const a = compileExpression(left, core)
  return [a, isConstant(right) ? constantBeside(a, right, core) : compileExpression(right, core)]
}

/**
 * A constant compared with a value: SQLite applies the affinity of a column to it
 * (https://sqlite.org/datatype3.html#type_conversions_prior_to_comparison).
 */
function constantBeside(other: Typed, node: Expression, core: CoreContext): Typed {
  const { constants } = core.statement
  const value =
    node.kind === 'parameter'
      ? constants.asOperand(node.index, other)
      : compileExpression(node, core)
  if (other.type === 'text' && other.affinity === 'text' && isNumber(value)) {
    const affinity = value.affinity === 'none' ? 'text' : value.affinity
    return affinity === 'text' ? convert('cast(', ' as text)', node, core) : value
  }
  if (isNumber(other) && hasNumericAffinity(other) && value.type === 'text') {
    const text = value.affinity === 'none' ? constantText(value) : null
    return text !== null && numericTextPattern.test(text) ? convert('', ' + 0', node, core) : value
  }
  return value
}

/** Done by SQLite itself. */
function convert(before: string, behind: string, node: Expression, core: CoreContext): Typed {
  const sql = `${before}(${textOf(node, core)})${behind}`
  return core.statement.constants.fold(sql, parametersOf(node))
}

function compareRows(
  operator: Comparison,
  left: Expression,
  right: Expression,
  core: CoreContext,
): Typed {
  if (left.kind !== 'row' || right.kind !== 'row' || left.items.length !== right.items.length) {
    return keep('row value')
  }
  const pairs = left.items.map((item, i) => [item, right.items[i] ?? keep('row value')] as const)
  const compared = (comparison: Comparison, from: number, to: number) =>
    pairs.slice(from, to).map(([a, b]) => compileComparison(comparison, a, b, core))
  if (operator === '=' || operator === 'is') {
    return all(compared(operator, 0, pairs.length), 'AND')
  }
  if (operator === '<>' || operator === 'is not') {
    return all(compared(operator, 0, pairs.length), 'OR')
  }
  // (a, b) < (c, d) is a < c OR (a = c AND b < d).
  const strict = operator === '<' || operator === '<=' ? '<' : '>'
  const last = pairs.length - 1
  return all(
    pairs.map((_, i) => {
      const [decisive] = compared(i === last ? operator : strict, i, i + 1)
      return all([...compared('=', 0, i), decisive ?? keep('row value')], 'AND')
    }),
    'OR',
  )
}

function all(conditions: readonly Typed[], word: 'AND' | 'OR'): Typed {
  return truth(`(${conditions.map((condition) => condition.sql).join(` ${word} `)})`, conditions)
}

/** `IN` with a list; every item is compared as `=` would. */
export function compileIn(node: InExpression, core: CoreContext): Typed {
  const { operand, items } = node
  if (items === null) {
    return compileInSubquery(node, core)
  }
  if (items.length === 0) {
    const value = compileExpression(operand, core)
    return truth(`((${value.sql} IS NULL) ${node.negated ? 'OR TRUE' : 'AND FALSE'})`, [value])
  }
  if (operand.kind === 'row') {
    const rows = items.map((item) => compileComparison('=', operand, item, core))
    const sql = `(${rows.map((row) => row.sql).join(' OR ')})`
    return truth(node.negated ? `(NOT ${sql})` : sql, rows)
  }
  const value = asValue(compileExpression(operand, core))
  const pairs = items.map((item) =>
    comparableItem(
      value,
      isConstant(item) ? constantBeside(value, item, core) : compileExpression(item, core),
    ),
  )
  const [subject] = pairs.map((pair) => pair[0])
  const sameSubject = pairs.every((pair) => pair[0].sql === subject?.sql)
  const sql = sameSubject
    ? `(${subject?.sql} IN (${pairs.map((pair) => pair[1].sql).join(', ')}))`
    : `(${pairs.map((pair) => `(${pair[0].sql} = ${pair[1].sql})`).join(' OR ')})`
  return truth(node.negated ? `(NOT ${sql})` : sql, [value, ...pairs.map((pair) => pair[1])])
}

/** In a list only the left side's affinity counts, not that of the items. */
function comparableItem(value: Typed, item: Typed): readonly [Typed, Typed] {
  if (item.type === 'text' && hasNumericAffinity(item) && !hasNumericAffinity(value)) {
    keep('in: item with numeric affinity')
  }
  return comparable(value, item)
}
