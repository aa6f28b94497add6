import type { Typed } from '../typed.js'
import type { Rule } from './rule.js'

/** A scalar function of SQLite: what it takes, and how DuckDB says the same. */
export interface FunctionRule extends Rule {
  readonly kind: 'function'
  /** It is not NULL just because an operand is. */
  readonly ownNulls?: true
  /** Null when the form is not proven for these operands, for one that would have to be a constant. */
  readonly apply: (operands: readonly Typed[]) => Typed | null | undefined
}

/** `name(x, y ...)`, where both engines compute the same. */
export function plainCall(name: string, operands: readonly Typed[]): string {
  return `${name}(${operands.map((operand) => operand.sql).join(', ')})`
}
