import SqliteDatabase, { type Database } from 'better-sqlite3'
import { CompiledQuery } from 'kysely'
import { bindConstants, parameterTypes } from '../../dist/dialect/router/parameters.js'
import { PendingQuery } from '../../dist/dialect/router/pending-query.js'
import { SchemaFacts } from '../../dist/dialect/router/schema-facts.js'
import { readStatementFacts } from '../../dist/dialect/router/statement-facts.js'
import {
  type ParsedStatement,
  parseSelect,
} from '../../dist/dialect/translate/parse/parse-select.js'
import { translate } from '../../dist/dialect/translate/translate.js'
import type {
  Translated,
  Translation,
  TranslationContext,
} from '../../dist/dialect/translate/translation.js'
import type { MirrorTable } from '../../dist/src/core/mirror-table.js'
import { foldIdentifier } from '../../dist/src/core/sql-identifier.js'
import { openDuckDbStore } from '../../dist/src/olap/duckdb-store.js'
import type { OlapStore } from '../../dist/src/olap/olap-store.js'
import {
  type ConnectionTraits,
  readConnectionTraits,
} from '../../dist/src/oltp/connection-traits.js'
import type { SqliteDatabase as Source } from '../../dist/src/oltp/sqlite-database.js'
import { copyTables } from './mirror-copy.js'
import type { Random } from './random/random.js'
import { sameRows } from './same-rows.js'

export type Outcome =
  | {
      readonly kind: 'same'
      readonly order: 'total' | 'plan'
      readonly sql: string
      readonly rules: readonly string[]
    }
  | { readonly kind: 'kept'; readonly reason: string }
  /** DuckDB raised, so the statement runs on SQLite: no harm, but no speed either. */
  | { readonly kind: 'raised'; readonly message: string; readonly sql: string }
  /** SQLite accepts no such statement, or no such parameters. */
  | { readonly kind: 'invalid'; readonly message: string }
  | {
      readonly kind: 'different'
      readonly duckSql: string
      readonly sqlite: unknown
      readonly duck: unknown
    }

/** A SQLite database and its copy, and the question whether a statement means the same in both. */
export class BothEngines {
  readonly #store: OlapStore
  #db = new SqliteDatabase(':memory:')
  #facts = new SchemaFacts()
  #traits: ConnectionTraits | null = null
  #mirrors: ReadonlyMap<string, MirrorTable> = new Map()

  private constructor(store: OlapStore) {
    this.#store = store
  }

  static async open(): Promise<BothEngines> {
    const options = { path: ':memory:', memoryLimit: '512MB', threads: 1, tempDirectory: null }
    return new BothEngines(await openDuckDbStore(options))
  }

  get db(): Database {
    return this.#db
  }

  /** An empty SQLite database in the place of this one; DuckDB stays open, which saves time. */
  reset(): Database {
    this.#db.close()
    this.#db = new SqliteDatabase(':memory:')
    this.#facts = new SchemaFacts()
    this.#traits = null
    this.#mirrors = new Map()
    return this.#db
  }

  async close(): Promise<void> {
    this.#db.close()
    await this.#store.close()
  }

  /** Copies all tables anew. */
  async copy(random: Random): Promise<void> {
    const mirrors = await copyTables(this.#db, this.#store.writer, random)
    this.#mirrors = new Map(mirrors.map((mirror) => [foldIdentifier(mirror.shape.name), mirror]))
    this.#facts.refresh(this.#source, () => null)
    this.#traits = readConnectionTraits(this.#source)
  }

  /**
   * What the router would tell the translator.
   *
   * @throws SQLite's error for a statement that it does not accept
   */
  context(sql: string, parameters: readonly unknown[]): TranslationContext {
    return this.#pending(sql, parameters).context((name) => this.#findTable(name), new Set())
  }

  async check(sql: string, parameters: readonly unknown[] = []): Promise<Outcome> {
    let pending: PendingQuery
    try {
      pending = this.#pending(sql, parameters)
    } catch (error) {
      return { kind: 'invalid', message: String(error) }
    }
    const context = pending.context((name) => this.#findTable(name), new Set())
    const translation: Translation = translate(sql, context)
    if (translation.kind === 'kept') {
      return translation
    }
    const sqlite = this.runSqlite(sql, parameters)
    const duck = await this.#runDuck(translation, pending)
    if (typeof duck === 'string') {
      return { kind: 'raised', message: duck, sql: translation.sql }
    }
    return typeof sqlite !== 'string' && sameRows(sqlite, duck)
      ? { kind: 'same', order: translation.order, sql: translation.sql, rules: translation.rules }
      : { kind: 'different', duckSql: translation.sql, sqlite, duck }
  }

  /** SQLite's rows by position, or its error. */
  runSqlite(sql: string, parameters: readonly unknown[]): unknown[][] | string {
    try {
      const statement = this.#db.prepare(sql).raw()
      return statement.all(...parameters) as unknown[][]
    } catch (error) {
      return String(error)
    }
  }

  async #runDuck(translated: Translated, pending: PendingQuery): Promise<unknown[][] | string> {
    try {
      const rows = await this.#store.rows(
        {
          sql: translated.sql,
          parameters: bindConstants(translated.parameters, pending.constants),
        },
        {
          // Rows are objects, in which columns of one name would fall together.
          columnNames: pending.facts.columnNames.map((_, i) => `c${i}`),
          integers: pending.traits.integers,
        },
      )
      return rows.map((row) => Object.values(row))
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #pending(sql: string, parameters: readonly unknown[]): PendingQuery {
    const source = this.#source
    const facts = readStatementFacts(source, sql)
    const types = parameterTypes(parameters)
    if (!facts.isRead || types === null) {
      throw new Error('no read, or parameters that SQLite refuses')
    }
    const parsed = parseSelect(sql)
    // That it does not understand a text is for the translator to say.
    const shape = { kind: 'analytic', parsed: parsed.kind === 'select' ? parsed : trivial } as const
    this.#traits ??= readConnectionTraits(source)
    const query = CompiledQuery.raw(sql, [...parameters])
    return new PendingQuery({
      query,
      shape,
      facts,
      traits: this.#traits,
      types,
      database: source,
      tableNames: [],
      schemaVersion: 0,
    })
  }

  #findTable(name: string): ReturnType<TranslationContext['findTable']> {
    const mirror = this.#mirrors.get(foldIdentifier(name))
    if (mirror !== undefined) {
      return mirror
    }
    const view = this.#facts.view(this.#source, name)
    return view ?? { refused: 'unknown' }
  }

  get #source(): Source {
    return this.#db as unknown as Source
  }
}

const trivial = parseSelect('select 1') as Extract<ParsedStatement, { kind: 'select' }>
