import { keep } from '../keep.js'
import {
  asExactDouble,
  assertComparable,
  asValue,
  derived,
  isNumber,
  raiseWhen,
  type Typed,
} from '../typed.js'
import { type Rule, use } from './rule.js'
import { numericText, numericTextPattern } from './text-number.js'

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'is' | 'is not'

/** For a pair of classes: the two sides, made such that DuckDB's comparison of them is SQLite's. */
export interface ComparisonRule extends Rule {
  readonly kind: 'comparison'
  readonly fits: (a: Typed, b: Typed) => boolean
  readonly apply: (a: Typed, b: Typed) => readonly [Typed, Typed]
}

const source = 'https://sqlite.org/datatype3.html#comparison_expressions'

export const comparisonRules: readonly ComparisonRule[] = [
  {
    kind: 'comparison',
    name: 'compare',
    operands: 'int, int',
    form: 'x = y',
    source,
    examples: [
      'i = j',
      'i < 3',
      'j >= i',
      'i <> 42',
      'i between j and 5',
      'i in (1, j, 42)',
      'j not in (2, 3)',
    ],
    fits: (a, b) => a.type === 'int' && b.type === 'int',
    apply: (a, b) => [a, b],
  },
  {
    kind: 'comparison',
    name: 'compare',
    operands: 'number, number',
    form: 'CAST(x AS DOUBLE) = CAST(y AS DOUBLE)',
    guard: 'integers beyond 2^53',
    source,
    examples: [
      'r = q',
      'r < 3',
      'q >= i',
      'r between j and 5',
      'q in (0.5, 3, i)',
      'coalesce(j, r) > 2',
    ],
    refused: ['(i + 9007199254740993) = r'],
    fits: (a, b) => isNumber(a) && isNumber(b),
    apply: (a, b) => [asExactDouble(a), asExactDouble(b)],
  },
  {
    kind: 'comparison',
    name: 'compare',
    operands: 'text, text',
    form: 'x = y, byte by byte',
    guard: 'collations other than BINARY, texts with NUL, one side of unknown affinity',
    source: 'https://sqlite.org/datatype3.html#collation',
    examples: ['s = t', 's < t', "t >= 'm'", "s in ('bob', t)", "t between 'a' and s"],
    refused: ["s = 'BOB' collate nocase"],
    fits: (a, b) =>
      a.type === 'text' && b.type === 'text' && hasNumericAffinity(a) === hasNumericAffinity(b),
    apply: (a, b) => {
      assertKnownAffinity(a, b)
      return [a, b]
    },
  },
  {
    kind: 'comparison',
    name: 'compare',
    operands: 'text of a numeric column, text',
    form: 'x = y',
    guard: 'a text that looks like a number becomes one, so it raises',
    source: `${source}: numeric affinity is applied to the other side`,
    examples: ['cast(m as text) = s', "m > '2024-01-15'", "m = '2024-02-29 12:30:00'", 'm < s'],
    refused: ["m = '5'", 'm < v'],
    fits: (a, b) => a.type === 'text' && b.type === 'text',
    apply: (a, b) => {
      assertKnownAffinity(a, b)
      // No text equals the number that the other side would become.
      return hasNumericAffinity(a) ? [a, notNumeric(b)] : [notNumeric(a), b]
    },
  },
  {
    kind: 'comparison',
    name: 'compare',
    operands: 'blob, blob',
    form: 'x = y, byte by byte',
    source,
    examples: ["b = x'00ff'", "b < x'41'", 'b in (b)'],
    fits: (a, b) => a.type === 'blob' && b.type === 'blob',
    apply: (a, b) => [a, b],
  },
]

/** IS and IS NOT with operands that may both be NULL. */
export const identityRule: Rule & {
  readonly apply: (operator: Comparison, a: Typed, b: Typed) => Typed
} = {
  kind: 'comparison',
  name: 'is',
  operands: 'value, value',
  form: 'CASE WHEN x IS NULL THEN y IS NULL WHEN y IS NULL THEN FALSE ELSE x = y END',
  source:
    'https://sqlite.org/lang_expr.html#is; DuckDB 1.5.6 loses rows for x < 1 OR x IS DISTINCT FROM 2 where a row group of x is all NULL',
  examples: [
    'j is 3',
    'j is not 3',
    'j is i',
    't is s',
    'j is not distinct from q',
    'j is distinct from i',
  ],
  apply: (operator, a, b) => truth(withNull(operator === 'is', a.sql, b.sql), a, b),
}

/** `left operator right` as SQLite compares, or the statement stays there. */
export function compare(operator: Comparison, left: Typed, right: Typed): Typed {
  const [a, b] = comparable(left, right)
  return operator === 'is' || operator === 'is not'
    ? use(identityRule).apply(operator, a, b)
    : truth(`(${a.sql} ${operator} ${b.sql})`, a, b)
}

/** The two sides made such that DuckDB's comparison of them is SQLite's. */
export function comparable(left: Typed, right: Typed): readonly [Typed, Typed] {
  const a = asValue(left)
  const b = asValue(right)
  assertComparable(a, 'comparison')
  assertComparable(b, 'comparison')
  if (a.type === 'null' || b.type === 'null') {
    return [a, b]
  }
  const rule = comparisonRules.find((entry) => entry.fits(a, b))
  return rule === undefined
    ? keep(`comparison of ${[a.type, b.type].sort().join(' with ')}`)
    : use(rule).apply(a, b)
}

export function hasNumericAffinity(value: Typed): boolean {
  return ['integer', 'real', 'numeric'].includes(value.affinity)
}

function truth(sql: string, a: Typed, b: Typed): Typed {
  return derived(sql, 'bool', [a, b], { bound: 1, collated: false })
}

/** DuckDB does not look into CASE, and so does not turn it into what it gets wrong. */
function withNull(wantsSame: boolean, a: string, b: string): string {
  return wantsSame
    ? `(CASE WHEN ${a} IS NULL THEN (${b} IS NULL) WHEN ${b} IS NULL THEN FALSE ELSE (${a} = ${b}) END)`
    : `(CASE WHEN ${a} IS NULL THEN (${b} IS NOT NULL) WHEN ${b} IS NULL THEN TRUE ELSE (${a} <> ${b}) END)`
}

function assertKnownAffinity(a: Typed, b: Typed): void {
  if (a.affinity === 'unknown' || b.affinity === 'unknown') {
    keep('comparison of text with unknown affinity')
  }
}

function notNumeric(value: Typed): Typed {
  const text = value.literal ? value.read?.() : null
  if (typeof text === 'string') {
    return numericTextPattern.test(text) ? keep('numeric text as a date or number') : value
  }
  const sql = raiseWhen(`regexp_full_match(${value.sql}, '${numericText}')`, value.sql)
  return { ...value, sql }
}
