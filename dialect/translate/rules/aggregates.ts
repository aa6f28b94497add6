import { keep } from '../keep.js'
import {
  asExactDouble,
  assertComparable,
  asUnsignedZero,
  asValue,
  exactIntegerMax,
  raiseWhen,
  type StaticType,
  type Typed,
  typed,
} from '../typed.js'
import { type AggregateFrame, exactSum } from './exact-sum.js'

export interface AggregateCall {
  readonly name: string
  readonly distinct: boolean
  /** Null for `count(*)`. */
  readonly operand: Typed | null
  readonly frame: AggregateFrame
  readonly rowsMax: number
}

interface AggregateRule {
  readonly name: string
  readonly of: readonly StaticType[]
  readonly distinct: 'allowed' | 'dropped' | 'kept'
  readonly apply: (call: AggregateCall, value: Typed) => Typed
}

const countBound = 2 ** 40
const numbers = ['real', 'num'] as const

const rules: readonly AggregateRule[] = [
  {
    name: 'count',
    of: ['null', 'int', 'real', 'num', 'text', 'blob'],
    distinct: 'allowed',
    apply: (call, value) => typed(invoke('count', call, value), 'int', { bound: countBound }),
  },
  { name: 'sum', of: ['int'], distinct: 'allowed', apply: integerSum },
  { name: 'sum', of: numbers, distinct: 'kept', apply: realSum },
  { name: 'total', of: ['int'], distinct: 'allowed', apply: integerTotal },
  { name: 'total', of: numbers, distinct: 'kept', apply: realTotal },
  { name: 'avg', of: ['int'], distinct: 'allowed', apply: integerAverage },
  { name: 'avg', of: numbers, distinct: 'kept', apply: realAverage },
  { name: 'min', of: ['int', 'real', 'num', 'text'], distinct: 'dropped', apply: extreme },
  { name: 'max', of: ['int', 'real', 'num', 'text'], distinct: 'dropped', apply: extreme },
]

/** One aggregate of SQLite, alone or over a window. */
export function aggregate(call: AggregateCall): Typed {
  if (call.operand === null) {
    return typed(`count(*)${call.frame.suffix}`, 'int', { bound: countBound })
  }
  const value = asValue(call.operand)
  const rule = rules.find((entry) => entry.name === call.name && entry.of.includes(value.type))
  if (rule === undefined || (call.distinct && rule.distinct === 'kept')) {
    return keep(`${call.name}${call.distinct ? ' distinct' : ''} of ${value.type}`)
  }
  if (call.distinct) {
    assertComparable(value, 'distinct')
  }
  return rule.apply(rule.distinct === 'dropped' ? { ...call, distinct: false } : call, value)
}

function invoke(name: string, call: AggregateCall, value: Typed): string {
  return `${name}(${call.distinct ? 'DISTINCT ' : ''}${value.sql})${call.frame.suffix}`
}

/**
 * A partial sum that overflows is an error in SQLite even if the whole would fit, or if HAVING
 * drops the group. Terms up to 2^53 cannot come near that, so greater ones raise here.
 */
function exactIntegerSum(call: AggregateCall, value: Typed): string {
  const { sql, bound } = value
  // One huge column is enough to overflow. A product of usual columns may be as large by its
  // bound, but not in fact.
  if (bound === 2 ** 63 || bound > 2 ** 110) {
    keep(`${call.name} of huge integers`)
  }
  const small =
    bound <= exactIntegerMax
      ? sql
      : raiseWhen(`((${sql} > ${exactIntegerMax}) OR (${sql} < -${exactIntegerMax}))`, sql)
  return `CAST(${invoke('sum', call, { ...value, sql: small })} AS BIGINT)`
}

function integerSum(call: AggregateCall, value: Typed): Typed {
  return typed(exactIntegerSum(call, value), 'int', { bound: 2 ** 63 })
}

function integerTotal(call: AggregateCall, value: Typed): Typed {
  const sql = `coalesce(CAST(${exactIntegerSum(call, value)} AS DOUBLE), 0e0)`
  return typed(sql, 'real', { bound: 2 ** 63 })
}

function integerAverage(call: AggregateCall, value: Typed): Typed {
  const count = invoke('count', call, value)
  const sql = `(CAST(${exactIntegerSum(call, value)} AS DOUBLE) / CAST(${count} AS DOUBLE))`
  return typed(sql, 'real', { bound: value.bound })
}

function realSum(call: AggregateCall, value: Typed): Typed {
  const sql = sumOf(call, value)
  return typed(sql, value.type, { bound: value.bound * countBound })
}

function realTotal(call: AggregateCall, value: Typed): Typed {
  const sql = `coalesce(${sumOf(call, value)}, 0e0)`
  return typed(sql, 'real', { bound: value.bound * countBound })
}

function realAverage(call: AggregateCall, value: Typed): Typed {
  const count = `CAST(${invoke('count', call, value)} AS DOUBLE)`
  return typed(`(${sumOf(call, value)} / ${count})`, 'real', { bound: value.bound })
}

function sumOf(call: AggregateCall, value: Typed): string {
  const exact = value.type === 'num' ? asExactDouble(value) : value
  return exactSum(exact, call.frame, call.rowsMax)
}

function extreme(call: AggregateCall, value: Typed): Typed {
  assertComparable(value, call.name)
  const sole = asUnsignedZero(value)
  return typed(invoke(call.name, call, sole), value.type, {
    bound: value.bound,
    ascii: value.ascii,
  })
}
