import type { Random } from '../translate/random/random.js'
import type { Operation, Row, Schema, Statement, Step, TableName, Value } from './operation.js'
import { tableNames } from './operation.js'

/** Operations of a random life. Keys come from small ranges, so that they clash. */
export class RandomOperations {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  next(): Operation {
    const random = this.#random
    const kind = random.weighted({
      statement: 3000,
      transaction: 300,
      schema: 3,
      foreign: 60,
      compare: 5,
      pause: 25,
      rebuild: 1,
      reopen: 0.3,
      crash: 0.4,
      'lose-mirror': 0.2,
      vacuum: 0.3,
    })
    switch (kind) {
      case 'statement':
        return this.#statement()
      case 'schema':
        return this.#schema()
      case 'foreign':
        return { do: 'foreign', statement: this.#statement() }
      case 'transaction':
        return { do: 'transaction', steps: this.#steps(2), commit: random.chance(0.8) }
      case 'rebuild':
        return { do: 'rebuild', table: random.pick(tableNames) }
      default:
        return { do: kind }
    }
  }

  #steps(depth: number): Step[] {
    const random = this.#random
    return Array.from({ length: random.integer(1, 8) }, (): Step => {
      if (depth > 0 && random.chance(0.08)) {
        return { do: 'savepoint', steps: this.#steps(depth - 1), keep: random.chance(0.5) }
      }
      return random.chance(0.004) ? this.#schema() : this.#statement()
    })
  }

  #statement(): Statement {
    const random = this.#random
    const table = random.pick(tableNames)
    switch (random.weighted({ insert: 60, update: 30, delete: 10 })) {
      case 'insert':
        return {
          do: 'insert',
          table,
          rows: Array.from({ length: random.chance(0.03) ? random.integer(2, 60) : 1 }, () =>
            this.#row(table),
          ),
          conflict: random.weighted({ abort: 4, ignore: 1, replace: 3, update: 2 }),
        }
      case 'update':
        return {
          do: 'update',
          table,
          set: this.#part(table, random.chance(0.2)),
          where: this.#where(table),
        }
      case 'delete':
        return { do: 'delete', table, where: random.chance(0.01) ? {} : this.#where(table) }
    }
  }

  #schema(): Schema {
    const random = this.#random
    const table = random.pick(tableNames)
    const kind = random.weighted({
      'add-column': 4,
      'drop-column': 2,
      'rename-column': 2,
      'toggle-index': 3,
      recreate: 1,
    })
    return kind === 'add-column'
      ? { do: kind, table, initial: random.pick([null, 0, 7, 'none']) }
      : { do: kind, table }
  }

  #row(table: TableName): Row {
    const random = this.#random
    switch (table) {
      case 'keyed':
        return { id: random.integer(1, 150), k: this.#text(), n: this.#small(), x: this.#real() }
      case 'paired':
        return { a: random.integer(1, 12), b: `b${random.integer(1, 12)}`, v: this.#anything() }
      case 'nameless':
        return { k: this.#text(), p: this.#small(), q: random.pick(['', 'q', 'ü', 'a\u0000b']) }
    }
  }

  /** One column with a value, a key column if so wished. */
  #part(table: TableName, isKey: boolean): Row {
    const row = this.#row(table)
    const keys = { keyed: ['id', 'k'], paired: ['a', 'b'], nameless: ['k'] }[table]
    const column = this.#random.pick(
      Object.keys(row).filter((name) => keys.includes(name) === isKey),
    )
    return { [column]: row[column]! }
  }

  #where(table: TableName): Row {
    const row = this.#row(table)
    const columns = { keyed: ['id', 'k', 'n'], paired: ['a', 'b'], nameless: ['k', 'p', 'q'] }[
      table
    ]
    const column = this.#random.pick(columns)
    return table === 'paired' && this.#random.chance(0.7)
      ? { a: row['a']!, b: row['b']! }
      : { [column]: row[column]! }
  }

  #text(): Value {
    return this.#random.chance(0.1) ? null : `k${this.#random.integer(1, 200)}`
  }

  #small(): Value {
    return this.#random.chance(0.05) ? null : this.#random.integer(-5, 20)
  }

  #real(): Value {
    return this.#random.chance(0.1) ? null : this.#random.integer(-1000, 1000) / 8
  }

  /** Mostly integers; seldom another class, which the copy's column must be widened for. */
  #anything(): Value {
    return this.#random.weighted({ number: 20_000, null: 1000, text: 1 }) === 'text'
      ? 'text'
      : this.#random.integer(0, 1000)
  }
}
