import type { Affinity } from '../../src/core/table-shape.js'
import { keep } from './keep.js'
import type { ConstantValue } from './translation.js'

/**
 * What is known of a value without looking at it: `num` is an integer or a real, kept as DOUBLE;
 * `bool` is an integer 0 or 1 of SQLite that is a BOOLEAN in DuckDB.
 */
export type StaticType = 'null' | 'bool' | 'int' | 'real' | 'num' | 'text' | 'blob'

/** An expression of DuckDB with what is known of its value in SQLite. */
export interface Typed {
  /** Binds stronger than any operator: a name, a call, or text in parentheses. */
  readonly sql: string
  readonly type: StaticType
  /** No value is further from 0; Infinity if unknown. Of numbers only. */
  readonly bound: number
  /** No value but 0 is closer to 0; 0 if unknown. Of reals only. */
  readonly least: number
  /** SQLite's affinity in a comparison; 'unknown' where SQLite's own rule is not modelled. */
  readonly affinity: Affinity | 'none' | 'unknown'
  /** A text that may be compared by another collation than BINARY, or may hold NUL. */
  readonly collated: boolean
  /**
   * A text that may hold NUL, or bytes that are no UTF-8 and that the copy holds replaced: it can be
   * given out, and not computed with.
   */
  readonly doubtful: boolean
  /** The text is surely ASCII. */
  readonly ascii: boolean
  /** A real that may be -0.0, which compares equal to 0.0 but is not the same. */
  readonly signedZero: boolean
  /** It contains no column. */
  readonly constant: boolean
  /**
   * Reads the value of a literal, a parameter or a folded expression. The translation then holds
   * for this value only. Null where the value depends on rows.
   */
  readonly read: (() => ConstantValue) | null
  /** It is written in the statement, so that reading it binds the translation to nothing. */
  readonly literal: boolean
  /**
   * A text that SQLite's JSON functions take for JSON and not for a string, which it decides by
   * where the value comes from; 'unknown' where that depends on the row or is not modelled.
   */
  readonly json: boolean | 'unknown'
}

/** The largest integer below which DOUBLE holds every integer. */
export const exactIntegerMax = 2 ** 53

export function typed(sql: string, type: StaticType, known: Partial<Typed> = {}): Typed {
  // Spelled out, because every expression passes here and a spread costs several times as much.
  return {
    sql,
    type,
    bound: known.bound ?? Number.POSITIVE_INFINITY,
    least: known.least ?? 0,
    affinity: known.affinity ?? 'none',
    collated: known.collated ?? false,
    doubtful: known.doubtful ?? false,
    ascii: known.ascii ?? false,
    signedZero: known.signedZero ?? false,
    constant: known.constant ?? false,
    read: known.read ?? null,
    literal: known.literal ?? false,
    json: known.json ?? false,
  }
}

/** The value of a column as it stands, and not computed. */
export function isColumn({ sql }: Typed): boolean {
  return columnPattern.test(sql)
}

const columnPattern = /^\w+\.(?:\w+|"(?:[^"]|"")+")$/

/** A new expression over operands: it is as collated and as constant as they are. */
export function derived(
  sql: string,
  type: StaticType,
  operands: readonly Typed[],
  known: Partial<Typed> = {},
): Typed {
  const collated = operands.some((operand) => operand.collated)
  const doubtful = operands.some((operand) => operand.doubtful)
  const constant = operands.every((operand) => operand.constant)
  const json = type === 'text' && operands.some((operand) => operand.json !== false) && 'unknown'
  return {
    sql,
    type,
    bound: known.bound ?? Number.POSITIVE_INFINITY,
    least: known.least ?? 0,
    affinity: known.affinity ?? 'none',
    collated: known.collated ?? collated,
    doubtful: known.doubtful ?? doubtful,
    ascii: known.ascii ?? false,
    signedZero: known.signedZero ?? false,
    constant: known.constant ?? constant,
    read: known.read ?? null,
    literal: known.literal ?? false,
    json: known.json ?? json,
  }
}

/** Says "keep" for a text that only SQLite reads right. */
export function keepDoubtful(operands: readonly Typed[]): void {
  if (operands.some((operand) => operand.doubtful && operand.type === 'text')) {
    keep('text with NUL or broken characters')
  }
}

/** NULL whatever the operands are; they stay in the text, for an aggregate among them counts. */
export function nullOf(operands: readonly Typed[]): Typed {
  const tests = operands.map((operand) => `(${operand.sql} IS NULL)`).join(' AND ')
  return derived(`(CASE WHEN ${tests} THEN NULL END)`, 'null', operands)
}

export function isNumber(value: Typed): boolean {
  return ['bool', 'int', 'real', 'num'].includes(value.type)
}

/** The text of a constant; null if it is none. */
export function constantText(value: Typed | undefined): string | null {
  const constant = value?.type === 'text' ? value.read?.() : null
  return typeof constant === 'string' ? constant : null
}

/** The integer of a constant that is one, or a real without a fraction; null if it is none. */
export function constantInteger(value: Typed | undefined): number | null {
  const isNumeric = value?.type === 'int' || value?.type === 'real'
  const constant = isNumeric ? value.read?.() : null
  const number = typeof constant === 'bigint' ? Number(constant) : constant
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null
}

/** As a value of the result: a truth value becomes the integer that SQLite has. */
export function asValue(value: Typed): Typed {
  return value.type === 'bool'
    ? { ...value, sql: `CAST(${value.sql} AS BIGINT)`, type: 'int', bound: 1 }
    : value
}

/** As DuckDB's BOOLEAN. */
export function asCondition(value: Typed): string {
  switch (value.type) {
    case 'bool':
      return value.sql
    case 'null':
      return 'CAST(NULL AS BOOLEAN)'
    case 'int':
    case 'real':
    case 'num':
      return `(${value.sql} <> 0)`
    default:
      return keep(`truth of ${value.type}`)
  }
}

/**
 * As DOUBLE without loss. Where the integer might be beyond 2^53 the query raises, and so
 * returns to SQLite.
 */
export function asExactDouble(value: Typed): Typed {
  const number = asValue(value)
  const known = { bound: number.bound, constant: number.constant, signedZero: number.signedZero }
  if (number.type === 'real') {
    return number
  }
  const sql = number.type === 'int' ? `CAST(${number.sql} AS DOUBLE)` : number.sql
  if (number.bound <= exactIntegerMax) {
    return typed(sql, 'num', known)
  }
  const guarded = raiseWhen(
    `((${number.sql} > ${exactIntegerMax}) OR (${number.sql} < -${exactIntegerMax}))`,
    sql,
  )
  return typed(guarded, 'num', { ...known, bound: exactIntegerMax })
}

/** The value without the difference of 0.0 and -0.0: raises where it would show. */
export function asUnsignedZero(value: Typed): Typed {
  return value.signedZero
    ? {
        ...value,
        sql: raiseWhen(`((${value.sql} = 0) AND signbit(${value.sql}))`, value.sql),
        signedZero: false,
      }
    : value
}

/** DuckDB raises, so that the statement runs on SQLite, in rows where the condition holds. */
export function raiseWhen(condition: string, otherwise: string): string {
  return `(CASE WHEN ${condition} THEN error('keep-on-sqlite') ELSE ${otherwise} END)`
}

/** What must hold before a value is compared, sorted, grouped or made distinct. */
export function assertComparable(value: Typed, where: string): void {
  if (value.collated && value.type === 'text') {
    keep(`collation in ${where}`)
  }
}

/** One type for alternatives of an expression, as CASE has; null when rows would differ in class. */
export function unify(
  values: readonly Typed[],
): { readonly type: StaticType; readonly values: readonly Typed[] } | null {
  const numbers = values.map(asValue)
  const types = new Set(numbers.map((value) => value.type).filter((type) => type !== 'null'))
  const [only] = types
  if (types.size <= 1) {
    return { type: only ?? 'null', values: numbers }
  }
  return [...types].every((type) => type === 'int' || type === 'real' || type === 'num')
    ? {
        type: 'num',
        values: numbers.map((value) => (value.type === 'null' ? value : asExactDouble(value))),
      }
    : null
}

/** The alternatives' common facts, for the value that is one of them. */
export function oneOf(sql: string, type: StaticType, values: readonly Typed[]): Typed {
  const present = values.filter((value) => value.type !== 'null')
  return derived(sql, type, values, {
    bound: Math.max(0, ...present.map((value) => value.bound)),
    ascii: present.every((value) => value.ascii),
    signedZero: present.some((value) => value.signedZero),
    json: commonJson(present),
  })
}

function commonJson(values: readonly Typed[]): Typed['json'] {
  const first = values[0]?.json ?? false
  return values.every((value) => value.json === first) ? first : 'unknown'
}
