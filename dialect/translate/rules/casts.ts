import type { Affinity } from '../../../src/core/table-shape.js'
import { keep } from '../keep.js'
import { asValue, derived, type StaticType, type Typed, typed } from '../typed.js'

interface CastRule {
  readonly from: StaticType
  readonly to: Affinity
  readonly apply: (value: Typed) => Typed
}

const rules: readonly CastRule[] = [
  { from: 'int', to: 'integer', apply: (value) => value },
  { from: 'real', to: 'integer', apply: truncated },
  { from: 'num', to: 'integer', apply: truncated },
  { from: 'int', to: 'numeric', apply: (value) => value },
  { from: 'int', to: 'real', apply: (value) => double(value) },
  { from: 'real', to: 'real', apply: (value) => value },
  { from: 'num', to: 'real', apply: (value) => ({ ...value, type: 'real' }) },
  { from: 'int', to: 'text', apply: integerText },
  { from: 'text', to: 'text', apply: (value) => value },
  { from: 'blob', to: 'blob', apply: (value) => value },
]

/** @param type The type's name as written, upper-case, without a length. */
export function castTo(operand: Typed, type: string): Typed {
  const value = asValue(operand)
  const to = affinityOf(type)
  if (value.type === 'null') {
    return value
  }
  const rule = rules.find((entry) => entry.from === value.type && entry.to === to)
  if (rule === undefined) {
    return keep(`cast ${value.type} as ${to}`)
  }
  return { ...rule.apply(value), affinity: to, literal: null }
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity */
function affinityOf(type: string): Affinity {
  if (type.includes('INT')) {
    return 'integer'
  }
  if (/CHAR|CLOB|TEXT/.test(type)) {
    return 'text'
  }
  if (type.includes('BLOB') || type === '') {
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

function integerText(value: Typed): Typed {
  return typed(`CAST(${value.sql} AS VARCHAR)`, 'text', { constant: value.constant, ascii: true })
}
