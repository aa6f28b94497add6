import {
  asExactDouble,
  asUnsignedZero,
  derived,
  nullOf,
  oneOf,
  type Typed,
  unify,
} from '../typed.js'
import type { FunctionRule } from './function-rule.js'
import { round } from './round.js'

const corefunc = 'https://sqlite.org/lang_corefunc.html'
const mathfunc = 'https://sqlite.org/lang_mathfunc.html'

/** A function of the C library that both engines call; what has no real result is NULL in SQLite. */
interface MathFunction {
  readonly name: string
  /** DuckDB's name, where it is another. */
  readonly as?: string
  /** DuckDB raises outside; with `x` for the operand. */
  readonly domain?: string
  readonly bound: (bound: number) => number
}

const unbounded = () => Number.POSITIVE_INFINITY
const mathFunctions: readonly MathFunction[] = [
  { name: 'sqrt', domain: 'x >= 0', bound: (bound) => Math.max(1, bound) },
  { name: 'exp', bound: unbounded },
  { name: 'ln', domain: 'x > 0', bound: unbounded },
  { name: 'log', as: 'log10', domain: 'x > 0', bound: unbounded },
  { name: 'log10', domain: 'x > 0', bound: unbounded },
  { name: 'log2', domain: 'x > 0', bound: unbounded },
  { name: 'sin', domain: 'isfinite(x)', bound: () => 1 },
  { name: 'cos', domain: 'isfinite(x)', bound: () => 1 },
  { name: 'tan', domain: 'isfinite(x)', bound: unbounded },
  { name: 'asin', domain: 'abs(x) <= 1', bound: () => 2 },
  { name: 'acos', domain: 'abs(x) <= 1', bound: () => 4 },
  { name: 'atan', bound: () => 2 },
  { name: 'sinh', bound: unbounded },
  { name: 'cosh', bound: unbounded },
  { name: 'tanh', bound: () => 1 },
  { name: 'degrees', bound: unbounded },
  { name: 'radians', bound: (bound) => bound },
]

export const numberFunctions: readonly FunctionRule[] = [
  {
    kind: 'function',
    name: 'abs',
    operands: 'number',
    form: 'abs(x); of reals CASE WHEN x < 0 THEN -x ELSE x END',
    guard: 'the smallest integer has none',
    source: `${corefunc}#abs; -0.0 stays as it is`,
    examples: ['abs(i)', 'abs(j)', 'abs(r)', 'abs(q)'],
    apply: ([x]) => absolute(x),
  },
  {
    kind: 'function',
    name: 'sign',
    operands: 'number',
    form: 'CAST(sign(x) AS BIGINT)',
    source: `${corefunc}#sign`,
    examples: ['sign(i)', 'sign(j)', 'sign(r)', 'sign(q)'],
    apply: ([x]) => x && derived(`CAST(sign(${x.sql}) AS BIGINT)`, 'int', [x], { bound: 1 }),
  },
  {
    kind: 'function',
    name: 'round',
    operands: 'number, int|real?',
    form: 'half away from zero, decided on exact products',
    guard:
      '|x| >= 1e13; from 3 digits on also values near a tie, which SQLite decides on 18 decimal digits',
    source: `${corefunc}#round: of the decimal value; digits from 0 to 8`,
    examples: [
      'round(r)',
      'round(q)',
      'round(r, 1)',
      'round(q, 2)',
      'round(i)',
      'round(j, 2)',
      'round(r, -1)',
      'round(w, 3)',
      'round(w, 5)',
    ],
    refused: ['round(r * 1e15)', 'round(h, 3)', 'round(q / 100, 1)', 'round(r, j)', 'round(r, 9)'],
    apply: ([x, digits]) => round(x, digits),
  },
  ...(['ceil', 'ceiling', 'floor', 'trunc'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'number',
      form: `${name === 'ceiling' ? 'ceil' : name}(x); an integer is left alone`,
      source: `${mathfunc}#${name === 'ceiling' ? 'ceil' : name}: an integer stays one`,
      examples: [`${name}(i)`, `${name}(r)`, `${name}(w)`],
      apply: ([x]) => x && whole(name === 'ceiling' ? 'ceil' : name, x),
    }),
  ),
  ...mathFunctions.map(
    ({ name, domain, bound, as = name }): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'number',
      form: domain === undefined ? `${as}(x)` : `CASE WHEN ${domain} THEN ${as}(x) END`,
      source: `${mathfunc}#${name}: of the C library, NULL outside of its domain`,
      examples: [`${name}(r)`, `${name}(q)`, `${name}(j)`, `${name}(1 / (2 + abs(r)))`],
      apply: ([x]) => {
        if (x === undefined) {
          return null
        }
        const operand = double(x)
        const call = `${as}(${operand.sql})`
        const sql =
          domain === undefined
            ? call
            : `(CASE WHEN ${domain.replace('x', () => operand.sql)} THEN ${call} END)`
        return derived(sql, 'real', [operand], { bound: bound(operand.bound), signedZero: true })
      },
    }),
  ),
  ...(['pow', 'power'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'number, number',
      form: 'nullif(pow(x, y), NaN)',
      source: `${mathfunc}#pow`,
      examples: [`${name}(r, 2)`, `${name}(q, j)`, `${name}(i, 0.5)`, `${name}(r, -1)`],
      apply: ([x, y]) => {
        if (x === undefined || y === undefined) {
          return null
        }
        const [a, b] = [double(x), double(y)]
        const sql = `nullif(pow(${a.sql}, ${b.sql}), CAST('NaN' AS DOUBLE))`
        return derived(sql, 'real', [a, b], { signedZero: true })
      },
    }),
  ),
  {
    kind: 'function',
    name: 'atan2',
    operands: 'number, number',
    form: 'atan2(x, y)',
    source: `${mathfunc}#atan2`,
    examples: ['atan2(r, 2)', 'atan2(q, r)'],
    apply: ([x, y]) => {
      if (x === undefined || y === undefined) {
        return null
      }
      const [a, b] = [double(x), double(y)]
      return derived(`atan2(${a.sql}, ${b.sql})`, 'real', [a, b], { bound: 4, signedZero: true })
    },
  },
  {
    kind: 'function',
    name: 'mod',
    operands: 'number, number',
    form: 'CASE WHEN y <> 0 THEN x % y END',
    source: `${mathfunc}#mod: a real, also of integers`,
    examples: ['mod(r, 2)', 'mod(i, 3)', 'mod(q, j)', 'mod(r, 0.5)'],
    apply: ([x, y]) => {
      if (x === undefined || y === undefined) {
        return null
      }
      const [a, b] = [double(x), double(y)]
      const sql = `(CASE WHEN (${b.sql} <> 0) AND isfinite(${a.sql}) THEN (${a.sql} % ${b.sql}) END)`
      return derived(sql, 'real', [a, b], { bound: a.bound, signedZero: true })
    },
  },
  ...(['max', 'min'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'value, value, value...',
      form: `CASE WHEN x IS NULL OR y IS NULL ... THEN NULL ELSE ${name === 'max' ? 'greatest' : 'least'}(x, y ...) END`,
      source: `${corefunc}#${name}_scalar: NULL if any argument is; DuckDB's greatest and least skip NULL`,
      examples: [
        `${name}(i, j)`,
        `${name}(r, q)`,
        `${name}(s, t)`,
        `${name}(i, 3, j)`,
        `${name}(i, r)`,
      ],
      ownNulls: true,
      apply: (all) => extreme(name === 'max' ? 'greatest' : 'least', all),
    }),
  ),
]

function absolute(x: Typed | undefined): Typed | null {
  if (x?.type === 'int') {
    return derived(`abs(${x.sql})`, 'int', [x], { bound: x.bound })
  }
  if (x === undefined) {
    return null
  }
  const sql = `(CASE WHEN ${x.sql} < 0 THEN -${x.sql} ELSE ${x.sql} END)`
  return derived(sql, x.type, [x], { bound: x.bound, signedZero: x.signedZero })
}

function whole(name: string, x: Typed): Typed | null {
  if (x.type === 'int') {
    return x
  }
  return derived(`${name}(${x.sql})`, x.type, [x], { bound: x.bound + 1, signedZero: true })
}

function double(x: Typed): Typed {
  return x.type === 'int'
    ? { ...x, sql: `CAST(${x.sql} AS DOUBLE)`, type: 'real' }
    : x.type === 'num'
      ? { ...asExactDouble(x), type: 'real' }
      : x
}

function extreme(name: 'greatest' | 'least', operands: readonly Typed[]): Typed | null {
  if (operands.some((operand) => operand.collated)) {
    return null
  }
  if (operands.some((operand) => operand.type === 'null')) {
    return nullOf(operands)
  }
  const unified = unify(operands)
  if (unified === null || unified.type === 'blob') {
    return null
  }
  const values = unified.values.map(asUnsignedZero)
  const nulls = values.map((value) => `(${value.sql} IS NULL)`).join(' OR ')
  const sql = `(CASE WHEN ${nulls} THEN NULL ELSE ${name}(${values.map((value) => value.sql).join(', ')}) END)`
  return oneOf(sql, unified.type, values)
}
