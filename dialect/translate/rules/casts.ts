import type { Affinity } from '../../../src/core/table-shape.js'
import { keep } from '../keep.js'
import { asValue, derived, keepDoubtful, type StaticType, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { type Rule, use } from './rule.js'
import { textToInteger, textToNumber, textToReal } from './text-number.js'

export interface CastRule extends Rule {
  readonly kind: 'cast'
  readonly from: StaticType
  readonly to: Affinity
  readonly apply: (value: Typed) => Typed
}

const source = 'https://sqlite.org/lang_expr.html#castexpr'

export const castRules: readonly CastRule[] = [
  cast('int', 'integer', 'x', ['cast(i as integer)', 'cast(j as bigint)'], (value) => value),
  cast(
    'real',
    'integer',
    'CAST(trunc(x) AS BIGINT), clamped',
    ['cast(r as integer)', 'cast(q as int)'],
    truncated,
  ),
  cast(
    'num',
    'integer',
    'CAST(trunc(x) AS BIGINT), clamped',
    ['cast(coalesce(j, r) as integer)'],
    truncated,
  ),
  {
    ...cast(
      'text',
      'integer',
      'the digits at the start',
      ['cast(v as integer)', 'cast(s as integer)'],
      textToInteger,
    ),
    guard: 'more than 18 digits',
    refused: [
      "cast(s || '12345678901234567890' as integer)",
      "cast('1' || i || '1234567890123456789' as integer)",
    ],
  },
  cast('int', 'numeric', 'x', ['cast(i as numeric)'], (value) => value),
  cast('real', 'numeric', 'x', ['cast(r as decimal(10, 2))'], (value) => value),
  cast('num', 'numeric', 'x', ['cast(coalesce(j, r) as numeric)'], (value) => value),
  {
    ...cast(
      'text',
      'numeric',
      'the number at the start, kept as DOUBLE',
      ['cast(v as numeric)', 'cast(d as date)'],
      textToNumber,
    ),
    guard: 'more than 15 digits, exponents beyond 22, zero with a sign',
    refused: ["cast(i || '.1234567890123456' as numeric)", "cast(i || 'e99' as numeric)"],
  },
  cast('int', 'real', 'CAST(x AS DOUBLE)', ['cast(i as real)', 'cast(j as double)'], double),
  cast('real', 'real', 'x', ['cast(r as float)'], (value) => value),
  cast('num', 'real', 'x', ['cast(coalesce(j, r) as real)'], (value) => ({
    ...value,
    type: 'real',
  })),
  {
    ...cast(
      'text',
      'real',
      'the number at the start',
      ['cast(v as real)', 'cast(s as real)'],
      textToReal,
    ),
    guard: 'more than 15 digits, exponents beyond 22, zero with a sign',
    refused: ["cast(i || '.1234567890123456' as real)", "cast('-0.0' || i as real)"],
  },
  cast('int', 'text', 'CAST(x AS VARCHAR)', ['cast(i as text)', 'cast(j as varchar(2))'], asText),
  {
    ...cast('real', 'text', 'CAST(x AS VARCHAR)', ['cast(r as text)', 'cast(q as text)'], asText),
    guard: 'more than 13 significant digits, below 0.001, from 1e15 on',
    refused: ['cast(r / 3 as text)', 'cast(r * 1e15 as text)', 'cast(r / 1e7 as text)'],
  },
  cast('text', 'text', 'x', ['cast(s as text)', 'cast(t as varchar(3))'], (value) => value),
  cast('blob', 'blob', 'x', ['cast(b as blob)'], (value) => value),
]

function cast(
  from: StaticType,
  to: Affinity,
  form: string,
  examples: readonly string[],
  apply: CastRule['apply'],
): CastRule {
  const name = `cast as ${to}`
  return { kind: 'cast', name, operands: from, form, source, examples, from, to, apply }
}

/** @param type What SQLite reads the affinity from, upper-case. */
export function castTo(operand: Typed, type: string): Typed {
  const value = asValue(operand)
  keepDoubtful([value])
  const to = castAffinity(type)
  if (value.type === 'null') {
    return value
  }
  const rule = castRules.find((entry) => entry.from === value.type && entry.to === to)
  if (rule === undefined) {
    return keep(`cast ${value.type} as ${to}`)
  }
  return { ...use(rule).apply(value), affinity: to, read: null, literal: false }
}

/**
 * Unlike a column, a cast without a type is NUMERIC
 * (https://sqlite.org/datatype3.html#determination_of_column_affinity).
 */
export function castAffinity(type: string): Affinity {
  if (type.includes('INT')) {
    return 'integer'
  }
  if (/CHAR|CLOB|TEXT/.test(type)) {
    return 'text'
  }
  if (type.includes('BLOB')) {
    return 'blob'
  }
  return /REAL|FLOA|DOUB/.test(type) ? 'real' : 'numeric'
}

/** DuckDB's cast rounds and raises; SQLite's cuts off the fraction and clamps. */
function truncated(value: Typed): Typed {
  const { sql, bound } = value
  const cut = `CAST(trunc(${sql}) AS BIGINT)`
  if (bound < 2 ** 62) {
    return derived(cut, 'int', [value], { bound })
  }
  const clamped = `(CASE WHEN ${sql} >= 9223372036854775807e0 THEN 9223372036854775807 \
WHEN ${sql} <= -9223372036854775808e0 THEN CAST('-9223372036854775808' AS BIGINT) ELSE ${cut} END)`
  return derived(clamped, 'int', [value], { bound: 2 ** 63 })
}

function double(value: Typed): Typed {
  return derived(`CAST(${value.sql} AS DOUBLE)`, 'real', [value], { bound: value.bound })
}
