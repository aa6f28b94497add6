import type { Database } from 'better-sqlite3'
import { tokenize } from '../../../dist/dialect/translate/parse/tokenize.js'
import type { RandomQuery } from './query-writer.js'
import type { Random } from './random.js'
import { randomKyselyQuery } from './random-kysely-query.js'
import { randomQuery } from './random-query.js'
import type { RandomTable } from './random-schema.js'
import { mutated } from './token-soup.js'

/** How often a statement is changed until SQLite accepts what comes out. */
const mutationsMax = 8

/** Statements over one schema: our own, those of Kysely's builder, and changed ones of both. */
export class QuerySource {
  /** Says which changed statements are still valid. */
  db: Database
  readonly #random: Random
  readonly #tables: readonly RandomTable[]
  #last: RandomQuery = { sql: 'select 1', parameters: [] }

  constructor(db: Database, random: Random, tables: readonly RandomTable[]) {
    this.db = db
    this.#random = random
    this.#tables = tables
  }

  next(): RandomQuery {
    const random = this.#random
    // A recursion that has lost its condition would not end.
    if (random.chance(0.1) && !this.#last.sql.includes('recursive')) {
      const changed = this.#mutation()
      if (changed !== null) {
        return changed
      }
    }
    this.#last = random.chance(0.15)
      ? randomKyselyQuery(random, this.#tables)
      : randomQuery(random, this.#tables)
    return this.#last
  }

  /** The statement before with other tokens: what nobody would write, and SQLite takes anyhow. */
  #mutation(): RandomQuery | null {
    const { sql: original, parameters } = this.#last
    for (let attempt = 0; attempt < mutationsMax; attempt += 1) {
      const sql = mutated(this.#random, original)
      const marks = (tokenize(sql) ?? []).filter((token) => token.kind === 'parameter').length
      if (sql !== original && this.#isValid(sql)) {
        const values = Array.from(
          { length: marks },
          (_, i) => parameters[i % parameters.length] ?? 1,
        )
        return { sql, parameters: values }
      }
    }
    return null
  }

  #isValid(sql: string): boolean {
    try {
      return this.db.prepare(sql).reader
    } catch {
      return false
    }
  }
}
