import { asValue, derived, nullOf, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { type Rule, use } from './rule.js'

export const concatenationRule: Rule & { readonly apply: (x: Typed, y: Typed) => Typed } = {
  kind: 'operator',
  name: '||',
  operands: 'textual, textual',
  form: 'x || y, numbers as their texts',
  guard: 'reals that neither engine writes in a few plain digits',
  source: 'https://sqlite.org/lang_expr.html#operators',
  examples: ['s || t', "s || '-' || i", 'j || q', "i || ''", 's || (i > 1)', '1 + n || 3'],
  refused: ['s || (r / 3)'],
  apply: (x, y) => {
    const [a, b] = [asText(x), asText(y)]
    return derived(`(${a.sql} || ${b.sql})`, 'text', [a, b], { ascii: a.ascii && b.ascii })
  },
}

export function concatenate(left: Typed, right: Typed): Typed {
  const operands = [asValue(left), asValue(right)]
  return operands.some((operand) => operand.type === 'null')
    ? nullOf(operands)
    : use(concatenationRule).apply(left, right)
}
