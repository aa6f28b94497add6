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
import { type Rule, use } from './rule.js'

export interface AggregateCall {
  readonly name: string
  readonly distinct: boolean
  /** Null for `count(*)`. */
  readonly operand: Typed | null
  readonly frame: AggregateFrame
  readonly rowsMax: number
}

export interface AggregateRule extends Rule {
  readonly kind: 'aggregate'
  readonly of: readonly StaticType[]
  readonly distinct: 'allowed' | 'dropped' | 'kept'
  readonly apply: (call: AggregateCall, value: Typed) => Typed
}

const source = 'https://sqlite.org/lang_aggfunc.html'
const countBound = 2 ** 40
const numbers = ['real', 'num'] as const
const exactForm = 'two sums of integers, rounded once'
const exactGuard =
  'terms whose bits the two integers do not hold; sums that nearly cancel; infinities'
const hugeRefused = (name: string) => [`${name}(i * 9007199254740993)`]

/** `count(*)`, which has no operand. */
const countRows: AggregateRule = {
  kind: 'aggregate',
  name: 'count',
  operands: '*',
  form: 'count(*)',
  source: `${source}#count`,
  examples: ['count(*)', 'count(*) filter (where i > 1)'],
  of: [],
  distinct: 'kept',
  apply: (call) => typed(`count(*)${call.frame.suffix}`, 'int', { bound: countBound }),
}

export const aggregateRules: readonly AggregateRule[] = [
  countRows,
  {
    kind: 'aggregate',
    name: 'count',
    operands: 'value',
    form: 'count([DISTINCT] x)',
    source: `${source}#count`,
    examples: [
      'count(j)',
      'count(t)',
      'count(distinct j)',
      'count(distinct s)',
      'count(b) filter (where i > 1)',
    ],
    of: ['null', 'int', 'real', 'num', 'text', 'blob'],
    distinct: 'allowed',
    apply: (call, value) => typed(invoke('count', call, value), 'int', { bound: countBound }),
  },
  {
    kind: 'aggregate',
    name: 'sum',
    operands: 'int',
    form: 'CAST(sum([DISTINCT] x) AS BIGINT)',
    guard: 'terms beyond 2^53, of which a partial sum might overflow',
    source: `${source}#sumunc`,
    examples: [
      'sum(i)',
      'sum(j)',
      'sum(distinct j)',
      'sum(i * 2) filter (where j > 1)',
      'sum(i > 1)',
    ],
    refused: hugeRefused('sum'),
    of: ['int'],
    distinct: 'allowed',
    apply: (call, value) => typed(exactIntegerSum(call, value), 'int', { bound: 2 ** 63 }),
  },
  {
    kind: 'aggregate',
    name: 'sum',
    operands: 'real|num',
    form: exactForm,
    guard: exactGuard,
    source: `${source}#sumunc: Kahan-Babuska-Neumaier compensation`,
    examples: ['sum(r)', 'sum(q)', 'sum(r * 0.1)', 'sum(coalesce(j, r))'],
    refused: ['sum(r * 1e300)', 'sum(distinct r)'],
    of: numbers,
    distinct: 'kept',
    apply: realSum,
  },
  {
    kind: 'aggregate',
    name: 'total',
    operands: 'int',
    form: 'coalesce(CAST(CAST(sum(x) AS BIGINT) AS DOUBLE), 0e0)',
    guard: 'terms beyond 2^53',
    source: `${source}#sumunc`,
    examples: ['total(i)', 'total(j)', 'total(i) filter (where i > 1000000)'],
    refused: hugeRefused('total'),
    of: ['int'],
    distinct: 'allowed',
    apply: (call, value) =>
      typed(`coalesce(CAST(${exactIntegerSum(call, value)} AS DOUBLE), 0e0)`, 'real', {
        bound: 2 ** 63,
      }),
  },
  {
    kind: 'aggregate',
    name: 'total',
    operands: 'real|num',
    form: `coalesce(..., 0e0) of ${exactForm}`,
    guard: exactGuard,
    source: `${source}#sumunc`,
    examples: ['total(r)', 'total(q)', 'total(q) filter (where i > 1000000)'],
    refused: ['total(r * 1e300)'],
    of: numbers,
    distinct: 'kept',
    apply: (call, value) =>
      typed(`coalesce(${sumOf(call, value)}, 0e0)`, 'real', { bound: value.bound * countBound }),
  },
  {
    kind: 'aggregate',
    name: 'avg',
    operands: 'int',
    form: 'CAST(CAST(sum(x) AS BIGINT) AS DOUBLE) / count(x)',
    guard: 'terms beyond 2^53',
    source: `${source}#avg`,
    examples: ['avg(i)', 'avg(j)', 'avg(distinct j)', 'avg(i) filter (where i > 1000000)'],
    refused: hugeRefused('avg'),
    of: ['int'],
    distinct: 'allowed',
    apply: integerAverage,
  },
  {
    kind: 'aggregate',
    name: 'avg',
    operands: 'real|num',
    form: `${exactForm} / count(x)`,
    guard: exactGuard,
    source: `${source}#avg`,
    examples: ['avg(r)', 'avg(q)', 'avg(r + i)'],
    refused: ['avg(r * 1e300)'],
    of: numbers,
    distinct: 'kept',
    apply: (call, value) => {
      const count = `CAST(${invoke('count', call, value)} AS DOUBLE)`
      return typed(`(${sumOf(call, value)} / ${count})`, 'real', { bound: value.bound })
    },
  },
  ...(['min', 'max'] as const).map(
    (name): AggregateRule => ({
      kind: 'aggregate',
      name,
      operands: 'number|text',
      form: `${name}(x)`,
      guard: 'collations other than BINARY, 0.0 beside -0.0',
      source: `${source}#${name}_agg`,
      examples: [
        `${name}(i)`,
        `${name}(j)`,
        `${name}(q)`,
        `${name}(s)`,
        `${name}(distinct t)`,
        `${name}(coalesce(j, r))`,
      ],
      of: ['int', 'real', 'num', 'text'],
      distinct: 'dropped',
      apply: extreme,
    }),
  ),
]

/** One aggregate of SQLite, alone or over a window. */
export function aggregate(call: AggregateCall): Typed {
  if (call.operand === null) {
    return use(countRows).apply(call, typed('*', 'null'))
  }
  const value = asValue(call.operand)
  if (value.type === 'null' && ['sum', 'avg', 'min', 'max'].includes(call.name)) {
    return typed(`CAST(max(${value.sql})${call.frame.suffix} AS BIGINT)`, 'null')
  }
  const rule = aggregateRules.find(
    (entry) => entry.name === call.name && entry.of.includes(value.type),
  )
  if (rule === undefined || (call.distinct && rule.distinct === 'kept')) {
    return keep(`${call.name}${call.distinct ? ' distinct' : ''} of ${value.type}`)
  }
  if (call.distinct) {
    assertComparable(value, 'distinct')
  }
  const plain = rule.distinct === 'dropped' ? { ...call, distinct: false } : call
  return use(rule).apply(plain, value)
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

function integerAverage(call: AggregateCall, value: Typed): Typed {
  const count = invoke('count', call, value)
  const sql = `(CAST(${exactIntegerSum(call, value)} AS DOUBLE) / CAST(${count} AS DOUBLE))`
  return typed(sql, 'real', { bound: value.bound })
}

function realSum(call: AggregateCall, value: Typed): Typed {
  return typed(sumOf(call, value), value.type, { bound: value.bound * countBound })
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
