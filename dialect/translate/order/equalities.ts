import type { CoreContext } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import type { Expression } from '../parse/syntax.js'
import type { Typed } from '../typed.js'

/** Two columns, or a column and a constant (`b` is null), that are equal in every row. */
export interface Equality {
  readonly a: string
  readonly b: string | null
}

/** The equalities that a condition implies by itself: conjuncts `x = y` and `x = constant`. */
export function equalitiesOf(condition: Expression, core: CoreContext): readonly Equality[] {
  if (condition.kind !== 'binary') {
    return []
  }
  const { operator, left, right } = condition
  if (operator === 'and') {
    return [...equalitiesOf(left, core), ...equalitiesOf(right, core)]
  }
  if (operator !== '=' || (left.kind !== 'column' && right.kind !== 'column')) {
    return []
  }
  const a = sideOf(left, core)
  const b = sideOf(right, core)
  if (a === null || b === null) {
    return []
  }
  if (a === 'constant' || b === 'constant') {
    const column = a === 'constant' ? b : a
    return column === 'constant' ? [] : [{ a: column.sql, b: null }]
  }
  // 0.0 and -0.0 are equal and yet differ.
  return a.type === b.type && !a.signedZero && !b.signedZero ? [{ a: a.sql, b: b.sql }] : []
}

function sideOf(node: Expression, core: CoreContext): Typed | 'constant' | null {
  if (node.kind === 'column') {
    const value = compileExpression(node, core)
    return value.signedZero || value.collated ? null : value
  }
  return ['parameter', 'integer', 'real', 'text'].includes(node.kind) ? 'constant' : null
}
