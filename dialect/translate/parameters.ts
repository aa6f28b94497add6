import { keep } from './keep.js'
import type { ParameterBinding, ParameterType } from './translation.js'
import { exactIntegerMax, type Typed, typed } from './typed.js'

/** Gives DuckDB's parameters their numbers, in the order in which they are first used. */
export class ParameterList {
  readonly #types: readonly ParameterType[]
  readonly #bindings: ParameterBinding[] = []

  constructor(types: readonly ParameterType[]) {
    this.#types = types
  }

  get bindings(): readonly ParameterBinding[] {
    return this.#bindings
  }

  typeOf(index: number): ParameterType {
    return this.#types[index] ?? keep('parameter missing')
  }

  /** The value as SQLite sees it: better-sqlite3 binds every number as a real. */
  asValue(index: number): Typed {
    const type = this.typeOf(index)
    switch (type) {
      case 'null':
        return typed('NULL', 'null', { constant: true })
      case 'safe-integer':
      case 'number': {
        const bound = type === 'number' ? Number.POSITIVE_INFINITY : exactIntegerMax
        const sql = this.#bind(index, 'double')
        return typed(sql, 'real', { bound, constant: true, signedZero: true })
      }
      case 'bigint':
        return typed(this.#bind(index, 'bigint'), 'int', { bound: 2 ** 63, constant: true })
      case 'text':
        return typed(this.#bind(index, 'varchar'), 'text', { constant: true })
      case 'blob':
        return typed(this.#bind(index, 'blob'), 'blob', { constant: true })
    }
  }

  /** For a place where SQLite only asks for the number, not for its class, as a comparison does. */
  asOperand(index: number, beside: Typed): Typed {
    const whole = this.typeOf(index) === 'safe-integer'
    const integers = beside.type === 'int' || beside.type === 'bool'
    return whole && integers ? this.asInteger(index) : this.asValue(index)
  }

  asInteger(index: number): Typed {
    const type = this.typeOf(index)
    if (type !== 'safe-integer' && type !== 'bigint') {
      keep(`integer parameter is ${type}`)
    }
    const bound = type === 'bigint' ? 2 ** 63 : exactIntegerMax
    return typed(this.#bind(index, 'bigint'), 'int', { bound, constant: true })
  }

  #bind(index: number, as: ParameterBinding['as']): string {
    let at = this.#bindings.findIndex((known) => known.index === index && known.as === as)
    if (at < 0) {
      at = this.#bindings.push({ index, as }) - 1
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
  null: 'VARCHAR',
} as const
