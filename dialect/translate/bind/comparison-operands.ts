import { quoteText } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import type { Expression, InExpression } from '../parse/syntax.js'
import { type Comparison, comparable, compare, hasNumericAffinity } from '../rules/comparison.js'
import { asValue, type Typed, typed } from '../typed.js'
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

/** Both sides; a parameter takes the class of what stands beside it where SQLite sees no difference. */
export function compileOperands(
  left: Expression,
  right: Expression,
  core: CoreContext,
): readonly [Typed, Typed] {
  const { parameters } = core.statement
  if (left.kind === 'parameter' && right.kind !== 'parameter') {
    const b = compileExpression(right, core)
    return [constantBeside(b, left, parameters.asOperand(left.index, b)), b]
  }
  const a = compileExpression(left, core)
  if (right.kind === 'parameter') {
    return [a, parameters.asOperand(right.index, a)]
  }
  const b = compileExpression(right, core)
  return [constantBeside(b, left, a), constantBeside(a, right, b)]
}

/** Beside a column of TEXT affinity SQLite takes an integer as its text. */
function constantBeside(other: Typed, node: Expression, value: Typed): Typed {
  return other.type === 'text' && other.affinity === 'text' && node.kind === 'integer'
    ? typed(quoteText(BigInt(node.text).toString()), 'text', { constant: true, ascii: true })
    : value
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
  if (operator !== '=' && operator !== '<>') {
    keep(`row value ${operator}`)
  }
  const pairs = left.items.map((item, i) =>
    compileComparison(operator, item, right.items[i] ?? keep('row value'), core),
  )
  const sql = `(${pairs.map((pair) => pair.sql).join(operator === '=' ? ' AND ' : ' OR ')})`
  return truth(sql, pairs)
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
  const pairs = items.map((item) => {
    const known =
      item.kind === 'parameter'
        ? core.statement.parameters.asOperand(item.index, value)
        : compileExpression(item, core)
    return comparableItem(value, known)
  })
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
