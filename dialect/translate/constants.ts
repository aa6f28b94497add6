import { keep } from './keep.js'
import { isPlainText } from './plain-text.js'
import type {
  Assumption,
  ConstantSource,
  ConstantValue,
  ParameterBinding,
  TranslationContext,
} from './translation.js'
import { exactIntegerMax, type Typed, typed } from './typed.js'

/**
 * Everything of a statement that no row changes: its parameters, and expressions without a column,
 * which SQLite itself computes before DuckDB runs. Gives DuckDB's parameters their numbers, and
 * notes what a translation took for granted of a value.
 */
export class Constants {
  readonly #context: TranslationContext
  readonly #bindings: ParameterBinding[] = []
  readonly #assumptions: Assumption[] = []
  readonly #computed = new Map<string, ConstantValue>()

  constructor(context: TranslationContext) {
    this.#context = context
  }

  get bindings(): readonly ParameterBinding[] {
    return this.#bindings
  }

  get assumptions(): readonly Assumption[] {
    return this.#assumptions
  }

  /** A parameter as SQLite sees it: better-sqlite3 binds every number as a real. */
  asValue(index: number): Typed {
    return this.#asValue(this.#parameter(index), this.#valueOf(index))
  }

  /** For a place where SQLite only asks for the number, not for its class, as a comparison does. */
  asOperand(index: number, beside: Typed): Typed {
    const isInteger = beside.type === 'int' || beside.type === 'bool'
    return isInteger && this.#context.parameterTypes[index] === 'safe-integer'
      ? this.asInteger(index)
      : this.asValue(index)
  }

  asInteger(index: number): Typed {
    const type = this.#context.parameterTypes[index]
    if (type !== 'safe-integer' && type !== 'bigint') {
      keep(`integer parameter is ${type ?? 'missing'}`)
    }
    const source = this.#parameter(index)
    const bound = type === 'bigint' ? 2 ** 63 : exactIntegerMax
    return typed(this.#bind(source, 'bigint'), 'int', {
      bound,
      constant: true,
      read: () => this.#pin(source, BigInt(this.#valueOf(index) as number | bigint)),
    })
  }

  /**
   * An expression without a column, computed by SQLite. The translation holds for results of the
   * same class.
   *
   * @param sql Its text.
   * @param parameters The positions of its parameters, in their order.
   */
  fold(sql: string, parameters: readonly number[]): Typed {
    const source: ConstantSource = { kind: 'expression', sql, parameters }
    let value = this.#computed.get(sql)
    if (value === undefined || parameters.length > 0) {
      const computed = this.#context.evaluate([source])[0]
      if (computed === undefined) {
        return keep('constant expression fails')
      }
      value = computed
      this.#computed.set(sql, value)
    }
    this.#assumptions.push({ source, kind: 'class', class: classOf(value) })
    return this.#asValue(source, value)
  }

  #parameter(index: number): ConstantSource {
    const type = this.#context.parameterTypes[index]
    if (type === undefined || type === 'doubtful-text') {
      keep(
        type === undefined ? 'parameter missing' : 'text parameter with NUL or broken characters',
      )
    }
    return { kind: 'parameter', index }
  }

  #valueOf(index: number): ConstantValue {
    const value = this.#context.parameterValues[index] as ConstantValue
    return Number.isNaN(value) ? null : value
  }

  #asValue(source: ConstantSource, value: ConstantValue): Typed {
    const read = () => this.#pin(source, value)
    switch (typeof value) {
      case 'number':
        return typed(this.#bind(source, 'double'), 'real', {
          bound: this.#boundOf(source, value),
          constant: true,
          signedZero: Object.is(value, -0),
          read,
        })
      case 'bigint':
        return typed(this.#bind(source, 'bigint'), 'int', {
          bound: this.#boundOf(source, Number(value)),
          constant: true,
          read,
        })
      case 'string':
        return !isPlainText(value)
          ? keep('constant text with NUL or broken characters')
          : typed(this.#bind(source, 'varchar'), 'text', { constant: true, read })
      default:
        return value === null
          ? typed('NULL', 'null', { constant: true, read: () => null })
          : typed(this.#bind(source, 'blob'), 'blob', { constant: true, read })
    }
  }

  /** The next power of 2^8: values of about one size share a translation. */
  #boundOf(source: ConstantSource, value: number): number {
    const exponent = Math.ceil(Math.log2(Math.max(Math.abs(value), 1)) / 8) * 8
    const bound = exponent <= 1023 ? 2 ** exponent : Number.POSITIVE_INFINITY
    this.#assumptions.push({ source, kind: 'bound', bound, isSignedZero: Object.is(value, -0) })
    return bound
  }

  #pin(source: ConstantSource, value: ConstantValue): ConstantValue {
    this.#assumptions.push({ source, kind: 'value', value })
    return value
  }

  #bind(source: ConstantSource, as: ParameterBinding['as']): string {
    let at = this.#bindings.findIndex((known) => known.as === as && isSame(known.source, source))
    if (at < 0) {
      at = this.#bindings.push({ source, as }) - 1
    }
    // The cast tells DuckDB the type before a value is there.
    return `CAST($${at + 1} AS ${castName[as]})`
  }
}

const castName = {
  bigint: 'BIGINT',
  double: 'DOUBLE',
  varchar: 'VARCHAR',
  blob: 'BLOB',
} as const

function isSame(a: ConstantSource, b: ConstantSource): boolean {
  if (a.kind === 'parameter' || b.kind === 'parameter') {
    return a.kind === 'parameter' && b.kind === 'parameter' && a.index === b.index
  }
  return a.sql === b.sql && a.parameters.join() === b.parameters.join()
}

/** What a class assumption compares. */
export function classOf(value: ConstantValue): string {
  return value === null ? 'null' : typeof value === 'object' ? 'blob' : typeof value
}

/** Whether a translation that was made for other values holds for this one, too. */
export function holds(assumption: Assumption, value: ConstantValue): boolean {
  switch (assumption.kind) {
    case 'class':
      return classOf(value) === assumption.class
    case 'bound':
      return (
        (typeof value === 'number' || typeof value === 'bigint') &&
        Math.abs(Number(value)) <= assumption.bound &&
        Object.is(value, -0) === assumption.isSignedZero
      )
    case 'value':
      return isSameValue(assumption.value, value)
  }
}

function isSameValue(a: ConstantValue, b: ConstantValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return Buffer.compare(a, b) === 0
  }
  // A safe integer is read as bigint where only its number counts.
  return Object.is(a, b) || (typeof a === 'bigint' && typeof b === 'number' && Number(a) === b)
}
