import { keep } from '../keep.js'
import {
  asExactDouble,
  asValue,
  derived,
  exactIntegerMax,
  isNumber,
  nullOf,
  raiseWhen,
  type Typed,
} from '../typed.js'
import { castTo } from './casts.js'
import { type Rule, use } from './rule.js'
import { textToNumber } from './text-number.js'

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '<<' | '>>'

/** One operator on a pair of classes: what DuckDB is told, and how large the result may be. */
export interface ArithmeticRule extends Rule {
  readonly kind: 'operator'
  readonly name: ArithmeticOperator
  readonly class: ArithmeticClass
  readonly apply: (a: Typed, b: Typed) => Typed
}

/** 'int': both are integers; 'real': one is surely a real; 'num': neither is sure. */
type ArithmeticClass = 'int' | 'real' | 'num'

const source = 'https://sqlite.org/lang_expr.html#operators'
const operandsOf = { int: 'int, int', real: 'real, number', num: 'num, number' } as const
const sum = (a: number, b: number) => a + b
const product = (a: number, b: number) => (a === 0 || b === 0 ? 0 : a * b)
const int64 = 2 ** 63

export const arithmeticRules: readonly ArithmeticRule[] = [
  // DuckDB raises on overflow, where SQLite goes on with reals.
  integer('+', sum, ['i + j', 'i + 1'], ['i + 9223372036854775807']),
  integer('-', sum, ['i - j', '1 - i'], ['-9223372036854775807 - abs(i) - 2']),
  integer('*', product, ['i * j', 'i * 3'], ['i * 9223372036854775807']),
  // With integer_division both truncate toward zero, and x / 0 is NULL.
  integer('/', (a) => a, ['i / j', 'i / 2', 'j / i']),
  integer('%', (a) => a, ['i % j', 'i % 3', '(i)%-3']),
  integer('&', () => int64, ['i & j', 'i & 6', '~i & 255']),
  integer('|', () => int64, ['i | j', 'i | 8']),
  shift('<<'),
  shift('>>'),
  real('+', 'real', sum, ['r + q', 'r + i', 'i + q']),
  real('-', 'real', sum, ['r - q', 'r - i']),
  real('*', 'real', product, ['r * q', 'r * i', 'i * 0.1']),
  real('/', 'real', () => Number.POSITIVE_INFINITY, ['r / q', 'r / 3', 'i / q', 'r / j']),
  remainder('real', ['r % 2', 'q % i', 'i % q']),
  real('+', 'num', sum, ['coalesce(j, r) + i', 'v + 1', 'coalesce(q, i) + coalesce(j, r)']),
  real('-', 'num', sum, ['coalesce(j, r) - i', 'v - 1']),
  real('*', 'num', product, ['coalesce(j, r) * n', 'v * 2']),
  remainder('num', ['coalesce(j, r) % 3', '5 % coalesce(j, r)']),
]

/** `left operator right`; a text counts as the number that it begins with. */
export function arithmetic(operator: ArithmeticOperator, left: Typed, right: Typed): Typed {
  if (operator === '%' && (left.type === 'text' || right.type === 'text')) {
    keep('% of text')
  }
  const a = asNumber(left)
  const b = asNumber(right)
  if (a.type === 'null' || b.type === 'null') {
    return nullOf([a, b])
  }
  if (!isNumber(a) || !isNumber(b)) {
    keep(`${a.type} ${operator} ${b.type}`)
  }
  const kind = classOf(a, b)
  const rule = arithmeticRules.find((entry) => entry.name === operator && entry.class === kind)
  return rule === undefined ? keep(`${a.type} ${operator} ${b.type}`) : use(rule).apply(a, b)
}

/** SQLite computes `0 - x`, so a real zero does not become -0.0. */
export function negate(operand: Typed, ofLiteral: boolean): Typed {
  const value = asNumber(operand)
  if (value.type === 'null') {
    return value
  }
  if (!isNumber(value)) {
    keep(`minus ${value.type}`)
  }
  const known = { bound: value.bound }
  if (value.type === 'int') {
    const { read, literal } = value
    const negative = () => -(read?.() as bigint)
    return derived(`(-${value.sql})`, 'int', [value], {
      ...known,
      literal,
      read: literal ? negative : null,
    })
  }
  return ofLiteral
    ? derived(`(-${value.sql})`, value.type, [value], { ...known, signedZero: true })
    : derived(`(0e0 - ${value.sql})`, value.type, [value], known)
}

export function asNumber(operand: Typed): Typed {
  return operand.type === 'text' ? textToNumber(operand) : asValue(operand)
}

function classOf(a: Typed, b: Typed): ArithmeticClass {
  if (a.type === 'int' && b.type === 'int') {
    return 'int'
  }
  return a.type === 'real' || b.type === 'real' ? 'real' : 'num'
}

function integer(
  name: ArithmeticOperator,
  bound: (a: number, b: number) => number,
  examples: readonly string[],
  refused: readonly string[] = [],
): ArithmeticRule {
  return {
    kind: 'operator',
    name,
    operands: operandsOf.int,
    class: 'int',
    form: `x ${name} y`,
    ...(refused.length > 0 ? { guard: 'results beyond 64 bits', refused } : {}),
    source,
    examples,
    apply: (a, b) =>
      derived(`(${a.sql} ${name} ${b.sql})`, 'int', [a, b], { bound: bound(a.bound, b.bound) }),
  }
}

function shift(name: '<<' | '>>'): ArithmeticRule {
  const places = (b: string) => `CAST(${b} AS INTEGER)`
  return {
    kind: 'operator',
    name,
    operands: operandsOf.int,
    class: 'int',
    form: `x ${name} y`,
    guard: 'negative x, y outside of 0 to 62, bits lost on the left',
    source,
    examples: name === '<<' ? ['abs(i) << 3', 'n << 2'] : ['abs(i) >> 2', '(n * 100) >> 3'],
    refused: [`(-n) ${name} 1`, `n ${name} (i - 500)`],
    apply: (a, b) => {
      const isPlain = `((${a.sql} >= 0) AND (${b.sql} >= 0) AND (${b.sql} <= 62))`
      const sql = raiseWhen(`(NOT ${isPlain})`, `(${a.sql} ${name} ${places(b.sql)})`)
      return derived(sql, 'int', [a, b], { bound: int64 })
    },
  }
}

function real(
  name: ArithmeticOperator,
  kind: 'real' | 'num',
  bound: (a: number, b: number) => number,
  examples: readonly string[],
): ArithmeticRule {
  return {
    kind: 'operator',
    name,
    operands: operandsOf[kind],
    class: kind,
    form: `x ${name} y as DOUBLE; NaN is NULL`,
    ...(kind === 'num' ? { guard: 'integers beyond 2^53' } : {}),
    source,
    examples,
    apply: (a, b) => {
      // A `num` is a DOUBLE that stands for an integer of SQLite: it must be exact before it is used.
      const x = kind === 'num' ? asExactDouble(a) : asDouble(a)
      const y = kind === 'num' ? asExactDouble(b) : asDouble(b)
      const size = name === '/' && b.type === 'int' ? x.bound : bound(x.bound, y.bound)
      const known = { bound: size, signedZero: maySignZero(name, x, y) }
      const sql = `(${x.sql} ${name} ${y.sql})`
      if (Number.isFinite(x.bound) && Number.isFinite(y.bound)) {
        return derived(sql, kind, [x, y], known)
      }
      // Inf - Inf and 0 * Inf are NULL in SQLite and NaN in DuckDB.
      return derived(`nullif(${sql}, CAST('NaN' AS DOUBLE))`, kind, [x, y], known)
    },
  }
}

/** Whether the result may be -0.0: -0 - 0, -0 + -0, and products and quotients with a sign. */
function maySignZero(name: ArithmeticOperator, x: Typed, y: Typed): boolean {
  switch (name) {
    case '-':
      return x.signedZero
    case '+':
      return x.signedZero && y.signedZero
    default:
      return true
  }
}

/** SQLite cuts off the fractions of both sides; the result is a real all the same. */
function remainder(kind: 'real' | 'num', examples: readonly string[]): ArithmeticRule {
  return {
    kind: 'operator',
    name: '%',
    operands: operandsOf[kind],
    class: kind,
    form: 'CAST(trunc(x) % trunc(y) AS DOUBLE), both as BIGINT',
    source,
    examples,
    apply: (a, b) => {
      const [x, y] = [castTo(a, 'INTEGER'), castTo(b, 'INTEGER')]
      return derived(`CAST((${x.sql} % ${y.sql}) AS DOUBLE)`, kind, [x, y], { bound: x.bound })
    },
  }
}

/** An integer beside a real becomes a real in SQLite too, rounded in the same way. */
function asDouble(value: Typed): Typed {
  if (value.type !== 'int') {
    return value.type === 'num' && value.bound > exactIntegerMax ? asExactDouble(value) : value
  }
  return { ...value, sql: `CAST(${value.sql} AS DOUBLE)`, type: 'real' }
}
