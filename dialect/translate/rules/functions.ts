import { keep } from '../keep.js'
import {
  asUnsignedZero,
  asValue,
  derived,
  nullOf,
  oneOf,
  type Typed,
  typed,
  unify,
} from '../typed.js'
import { round } from './round.js'

/** A scalar function of SQLite: what it takes, and how DuckDB says the same. */
interface FunctionRule {
  readonly name: string
  readonly arity: readonly [least: number, most: number]
  /** Returns null when the operands are not of a class for which the form is proven. */
  readonly apply: (operands: readonly Typed[]) => Typed | null
}

const upperLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const lowerLetters = upperLetters.toLowerCase()

const rules: readonly FunctionRule[] = [
  { name: 'abs', arity: [1, 1], apply: ([x]) => absolute(x) },
  { name: 'coalesce', arity: [2, 20], apply: (all) => coalesce(all) },
  { name: 'ifnull', arity: [2, 2], apply: (all) => coalesce(all) },
  { name: 'instr', arity: [2, 2], apply: (all) => ofTexts('instr', all, 'int') },
  { name: 'length', arity: [1, 1], apply: (all) => ofTexts('length', all, 'int') },
  { name: 'lower', arity: [1, 1], apply: ([x]) => folded(x, 'lower', upperLetters, lowerLetters) },
  { name: 'upper', arity: [1, 1], apply: ([x]) => folded(x, 'upper', lowerLetters, upperLetters) },
  { name: 'ltrim', arity: [1, 2], apply: (all) => ofTexts('ltrim', withBlank(all), 'text') },
  { name: 'rtrim', arity: [1, 2], apply: (all) => ofTexts('rtrim', withBlank(all), 'text') },
  { name: 'trim', arity: [1, 2], apply: (all) => ofTexts('trim', withBlank(all), 'text') },
  { name: 'max', arity: [2, 2], apply: ([x, y]) => extreme('greatest', x, y) },
  { name: 'min', arity: [2, 2], apply: ([x, y]) => extreme('least', x, y) },
  { name: 'replace', arity: [3, 3], apply: (all) => replace(all) },
  { name: 'round', arity: [1, 2], apply: ([x, digits]) => round(x, digits) },
  { name: 'substr', arity: [2, 3], apply: (all) => substring(all) },
  { name: 'substring', arity: [2, 3], apply: (all) => substring(all) },
  { name: 'likely', arity: [1, 1], apply: ([x]) => x ?? null },
  { name: 'unlikely', arity: [1, 1], apply: ([x]) => x ?? null },
]

const byName = new Map(rules.map((rule) => [rule.name, rule]))

/** A call of a scalar function whose operands are compiled already. */
export function scalarFunction(name: string, operands: readonly Typed[]): Typed {
  const rule = byName.get(name)
  if (rule === undefined || operands.length < rule.arity[0] || operands.length > rule.arity[1]) {
    return keep(`function ${name}`)
  }
  const values = operands.map(asValue)
  return rule.apply(values) ?? keep(`function ${name} of ${values.map((v) => v.type).join(', ')}`)
}

function absolute(x: Typed | undefined): Typed | null {
  if (x?.type === 'int') {
    return derived(`abs(${x.sql})`, 'int', [x], { bound: x.bound })
  }
  if (x?.type === 'real' || x?.type === 'num') {
    // SQLite leaves -0.0 as it is.
    const sql = `(CASE WHEN ${x.sql} < 0 THEN -${x.sql} ELSE ${x.sql} END)`
    return derived(sql, x.type, [x], { bound: x.bound, signedZero: x.signedZero })
  }
  return null
}

function coalesce(operands: readonly Typed[]): Typed | null {
  const unified = unify(operands)
  if (unified === null) {
    return null
  }
  const sql = `coalesce(${unified.values.map((value) => value.sql).join(', ')})`
  return oneOf(sql, unified.type, unified.values)
}

function ofTexts(name: string, operands: readonly Typed[], type: 'int' | 'text'): Typed | null {
  if (operands.some((operand) => operand.type !== 'text')) {
    return null
  }
  const ascii = operands.every((operand) => operand.ascii)
  const bound = type === 'int' ? 2 ** 31 : Number.POSITIVE_INFINITY
  const sql = `${name}(${operands.map((operand) => operand.sql).join(', ')})`
  const collated = type === 'text' && operands.some((operand) => operand.collated)
  const exact = type === 'int' ? `CAST(${sql} AS BIGINT)` : sql
  return derived(exact, type, operands, { bound, ascii, collated })
}

/** Without a second argument SQLite trims U+0020 only. */
function withBlank(operands: readonly Typed[]): readonly Typed[] {
  const blank = typed("' '", 'text', { constant: true, ascii: true })
  return operands.length === 1 ? [...operands, blank] : operands
}

/** SQLite folds ASCII letters only. */
function folded(x: Typed | undefined, name: string, from: string, to: string): Typed | null {
  if (x?.type !== 'text') {
    return null
  }
  const sql = x.ascii ? `${name}(${x.sql})` : `translate(${x.sql}, '${from}', '${to}')`
  return derived(sql, 'text', [x], { ascii: x.ascii })
}

/** DuckDB's greatest and least skip NULL. */
function extreme(
  name: 'greatest' | 'least',
  x: Typed | undefined,
  y: Typed | undefined,
): Typed | null {
  if (x === undefined || y === undefined || x.collated || y.collated) {
    return null
  }
  if (x.type === 'null' || y.type === 'null') {
    return nullOf([x, y])
  }
  const unified = unify([x, y])
  if (unified === null || unified.type === 'blob') {
    return null
  }
  const [a = x, b = y] = unified.values.map(asUnsignedZero)
  const sql = `(CASE WHEN (${a.sql} IS NULL) OR (${b.sql} IS NULL) THEN NULL ELSE ${name}(${a.sql}, ${b.sql}) END)`
  return oneOf(sql, unified.type, [a, b])
}

/** An empty pattern replaces nothing in SQLite; only literals that are not empty are proven. */
function replace(operands: readonly Typed[]): Typed | null {
  const pattern = operands[1]?.literal
  return pattern === undefined || pattern === null || pattern === ''
    ? null
    : ofTexts('replace', operands, 'text')
}

/** Start and length must be literals: zero and negative ones count in other ways. */
function substring(operands: readonly Typed[]): Typed | null {
  const [x, ...numbers] = operands
  if (x?.type !== 'text') {
    return null
  }
  const values = numbers.map((number) => /^CAST\((\d+) AS BIGINT\)$/.exec(number.sql)?.[1])
  if (values.includes(undefined) || values[0] === '0') {
    return null
  }
  return derived(`substring(${[x.sql, ...values].join(', ')})`, 'text', [x], { ascii: x.ascii })
}
