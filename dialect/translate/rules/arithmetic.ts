import { keep } from '../keep.js'
import {
  asExactDouble,
  asValue,
  derived,
  exactIntegerMax,
  isNumber,
  nullOf,
  type StaticType,
  type Typed,
} from '../typed.js'
import { castTo } from './casts.js'

type Arithmetic = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '<<' | '>>'

/** One operator on a pair of classes: what DuckDB is told, and how large the result may be. */
interface ArithmeticRule {
  readonly operator: Arithmetic
  /** 'int': both are integers; 'real': one is surely a real; 'num': neither is sure. */
  readonly class: 'int' | 'real' | 'num'
  readonly bound: (a: number, b: number) => number
  /** A real result may be -0.0 even where no operand is. */
  readonly signsZero?: boolean
}

const sum = (a: number, b: number) => a + b
const product = (a: number, b: number) => (a === 0 || b === 0 ? 0 : a * b)
const int64 = 2 ** 63

const rules: readonly ArithmeticRule[] = [
  // DuckDB raises on overflow, where SQLite goes on with reals.
  { operator: '+', class: 'int', bound: sum },
  { operator: '-', class: 'int', bound: sum },
  { operator: '*', class: 'int', bound: product },
  // With integer_division both truncate toward zero, and x / 0 is NULL.
  { operator: '/', class: 'int', bound: (a) => a },
  { operator: '%', class: 'int', bound: (a) => a },
  { operator: '&', class: 'int', bound: () => int64 },
  { operator: '|', class: 'int', bound: () => int64 },
  { operator: '+', class: 'real', bound: sum },
  { operator: '-', class: 'real', bound: sum },
  { operator: '*', class: 'real', bound: product, signsZero: true },
  { operator: '/', class: 'real', bound: () => Number.POSITIVE_INFINITY, signsZero: true },
  { operator: '+', class: 'num', bound: sum },
  { operator: '-', class: 'num', bound: sum },
  { operator: '*', class: 'num', bound: product, signsZero: true },
]

/** `left operator right` for numbers; text operands are not proven and stay on SQLite. */
export function arithmetic(operator: Arithmetic, left: Typed, right: Typed): Typed {
  const a = asValue(left)
  const b = asValue(right)
  if (a.type === 'null' || b.type === 'null') {
    return nullOf([a, b])
  }
  if (!isNumber(a) || !isNumber(b)) {
    keep(`${a.type} ${operator} ${b.type}`)
  }
  const kind = classOf(a.type, b.type)
  if (operator === '%' && kind !== 'int') {
    return remainder(a, b, kind)
  }
  const rule = rules.find((entry) => entry.operator === operator && entry.class === kind)
  if (rule === undefined) {
    return keep(`${a.type} ${operator} ${b.type}`)
  }
  return kind === 'int' ? integers(rule, a, b) : reals(rule, a, b)
}

/** SQLite computes `0 - x`, so a real zero does not become -0.0. */
export function negate(operand: Typed, ofLiteral: boolean): Typed {
  const value = asValue(operand)
  if (value.type === 'null') {
    return value
  }
  if (!isNumber(value)) {
    keep(`minus ${value.type}`)
  }
  const known = { bound: value.bound }
  if (value.type === 'int') {
    return derived(`(-${value.sql})`, 'int', [value], known)
  }
  return ofLiteral
    ? derived(`(-${value.sql})`, value.type, [value], { ...known, signedZero: true })
    : derived(`(0e0 - ${value.sql})`, value.type, [value], known)
}

function classOf(a: StaticType, b: StaticType): ArithmeticRule['class'] {
  if (a === 'int' && b === 'int') {
    return 'int'
  }
  return a === 'real' || b === 'real' ? 'real' : 'num'
}

function integers(rule: ArithmeticRule, a: Typed, b: Typed): Typed {
  const bound = rule.bound(a.bound, b.bound)
  return derived(`(${a.sql} ${rule.operator} ${b.sql})`, 'int', [a, b], { bound })
}

function reals(rule: ArithmeticRule, a: Typed, b: Typed): Typed {
  const type = rule.class === 'real' ? 'real' : 'num'
  // A `num` is a DOUBLE that stands for an integer of SQLite: it must be exact before it is used.
  const x = type === 'num' ? asExactDouble(a) : asDouble(a)
  const y = type === 'num' ? asExactDouble(b) : asDouble(b)
  const divisorIsWhole = rule.operator === '/' && b.type === 'int'
  const bound = divisorIsWhole ? x.bound : rule.bound(x.bound, y.bound)
  const signedZero = rule.signsZero === true || (x.signedZero && y.signedZero)
  const sql = `(${x.sql} ${rule.operator} ${y.sql})`
  if (Number.isFinite(x.bound) && Number.isFinite(y.bound)) {
    return derived(sql, type, [x, y], { bound, signedZero })
  }
  // Inf - Inf and 0 * Inf are NULL in SQLite and NaN in DuckDB.
  return derived(`nullif(${sql}, CAST('NaN' AS DOUBLE))`, type, [x, y], { signedZero })
}

/** SQLite cuts off the fractions of both sides; the result is a real all the same. */
function remainder(a: Typed, b: Typed, type: 'real' | 'num'): Typed {
  const [x, y] = [castTo(a, 'INTEGER'), castTo(b, 'INTEGER')]
  return derived(`CAST((${x.sql} % ${y.sql}) AS DOUBLE)`, type, [x, y], { bound: x.bound })
}

/** An integer beside a real becomes a real in SQLite too, rounded in the same way. */
function asDouble(value: Typed): Typed {
  if (value.type !== 'int') {
    return value.type === 'num' && value.bound > exactIntegerMax ? asExactDouble(value) : value
  }
  return { ...value, sql: `CAST(${value.sql} AS DOUBLE)`, type: 'real' }
}
