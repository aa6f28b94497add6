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

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'is' | 'is not'

/** What SQLite's numeric affinity takes for a number (https://sqlite.org/datatype3.html#affinity). */
const numericText =
  '[ \\t\\n\\v\\f\\r]*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[ \\t\\n\\v\\f\\r]*'
const numericTextPattern = new RegExp(`^${numericText}$`)

/** `left operator right` as SQLite compares, or the statement stays there. */
export function compare(operator: Comparison, left: Typed, right: Typed): Typed {
  const [a, b] = comparable(left, right)
  const sql =
    operator === 'is' || operator === 'is not'
      ? withNull(operator, a.sql, b.sql)
      : `(${a.sql} ${operator} ${b.sql})`
  return derived(sql, 'bool', [a, b], { bound: 1, collated: false })
}

/**
 * DuckDB 1.5.6 loses rows for `x < 1 OR x IS DISTINCT FROM 2` where a whole row group of x is
 * NULL, and turns NOT (x IS NOT DISTINCT FROM y) into the same. It does not look into CASE.
 */
function withNull(operator: 'is' | 'is not', a: string, b: string): string {
  return operator === 'is'
    ? `(CASE WHEN ${a} IS NULL THEN (${b} IS NULL) WHEN ${b} IS NULL THEN FALSE ELSE (${a} = ${b}) END)`
    : `(CASE WHEN ${a} IS NULL THEN (${b} IS NOT NULL) WHEN ${b} IS NULL THEN TRUE ELSE (${a} <> ${b}) END)`
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
  if (isNumber(a) && isNumber(b)) {
    return a.type === 'int' && b.type === 'int' ? [a, b] : [asExactDouble(a), asExactDouble(b)]
  }
  if (a.type === 'text' && b.type === 'text') {
    return texts(a, b)
  }
  if (a.type === 'blob' && b.type === 'blob') {
    return [a, b]
  }
  return keep(`comparison of ${[a.type, b.type].sort().join(' with ')}`)
}

function texts(a: Typed, b: Typed): readonly [Typed, Typed] {
  if (a.affinity === 'unknown' || b.affinity === 'unknown') {
    keep('comparison of text with unknown affinity')
  }
  const aIsNumeric = hasNumericAffinity(a)
  const bIsNumeric = hasNumericAffinity(b)
  if (aIsNumeric === bIsNumeric) {
    return [a, b]
  }
  // The other side would become a number if it looks like one; then no text equals it.
  return aIsNumeric ? [a, notNumeric(b)] : [notNumeric(a), b]
}

function notNumeric(value: Typed): Typed {
  if (value.literal === null) {
    const sql = raiseWhen(`regexp_full_match(${value.sql}, '${numericText}')`, value.sql)
    return { ...value, sql }
  }
  return numericTextPattern.test(value.literal) ? keep('numeric text as a date or number') : value
}

export function hasNumericAffinity(value: Typed): boolean {
  return ['integer', 'real', 'numeric'].includes(value.affinity)
}
