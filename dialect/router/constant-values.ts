import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { ConstantSource, ConstantValue } from '../translate/translation.js'

/**
 * What is constant in one execution of a query: its parameters, and what SQLite computes from
 * them, once, so that all of it belongs to one moment.
 */
export class ConstantValues {
  readonly #database: SqliteDatabase
  readonly #parameters: readonly unknown[]
  readonly #computed = new Map<string, ConstantValue | undefined>()

  constructor(database: SqliteDatabase, parameters: readonly unknown[]) {
    this.#database = database
    this.#parameters = parameters
  }

  /** Undefined where SQLite raises. */
  of(source: ConstantSource): ConstantValue | undefined {
    if (source.kind === 'parameter') {
      const value = this.#parameters[source.index] as ConstantValue
      return Number.isNaN(value) ? null : value
    }
    const key = keyOf(source)
    if (!this.#computed.has(key)) {
      this.compute([source])
    }
    return this.#computed.get(key)
  }

  /** Computes what is not known yet in one statement. */
  compute(sources: readonly ConstantSource[]): void {
    const missing = sources
      .filter((source) => source.kind === 'expression')
      .filter((source) => !this.#computed.has(keyOf(source)))
    if (missing.length === 0) {
      return
    }
    const sql = `select ${missing.map((source) => `(${source.sql})`).join(', ')}`
    const parameters = missing.flatMap((source) =>
      source.parameters.map((index) => this.#parameters[index]),
    )
    let values: readonly (ConstantValue | undefined)[]
    try {
      const statement = this.#database.prepare(sql).raw().safeIntegers(true)
      values = statement.get(...parameters) as ConstantValue[]
    } catch {
      // The statement itself raises the same in SQLite, or does not get there.
      values = []
    }
    for (const [i, source] of missing.entries()) {
      this.#computed.set(keyOf(source), values[i])
    }
  }
}

function keyOf(source: Extract<ConstantSource, { kind: 'expression' }>): string {
  return `${source.parameters.join()} ${source.sql}`
}
