import { limits } from '../../src/core/limits.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import {
  loadSchema,
  readSchemaVersion,
  readTableShape,
  readView,
  type TableLookup,
} from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { withoutHints } from '../hints.js'
import type { ViewDefinition } from '../translate/translation.js'
import { BoundedMap } from './bounded-map.js'
import { readStatementFacts, type StatementFacts } from './statement-facts.js'
import { viewDefinition } from './view-expansion.js'

/** What SQLite says about statements and tables, kept as long as its schema stays. */
export class SchemaFacts {
  readonly #statements = new BoundedMap<string, StatementFacts>(limits.shapeCacheEntriesMax)
  readonly #tables = new BoundedMap<string, TableLookup>(limits.countedTablesMax)
  readonly #views = new BoundedMap<string, ViewDefinition | false>(limits.countedTablesMax)
  #version = -1

  /** SQLite's number of the schema that the facts belong to. */
  get version(): number {
    return this.#version
  }

  /**
   * Forgets everything when the schema has changed; to be called before the other methods.
   *
   * @param committed the schema that everybody sees; null where a transaction hides it
   * @returns false while a transaction on the connection shows another schema: it may be rolled back,
   * and then its number is given to another one
   */
  refresh(database: SqliteDatabase, committed: () => number | null): boolean {
    const version = readSchemaVersion(database)
    if (version === this.#version) {
      return true
    }
    if (database.inTransaction && version !== committed()) {
      return false
    }
    loadSchema(database)
    this.#version = version
    this.#statements.clear()
    this.#tables.clear()
    this.#views.clear()
    return true
  }

  /** Null for a statement that SQLite refuses. */
  statement(database: SqliteDatabase, sql: string): StatementFacts | null {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      return known
    }
    try {
      const facts = readStatementFacts(database, withoutHints(sql))
      this.#statements.set(sql, facts)
      return facts
    } catch {
      // SQLite's own error reaches the user when SQLite gets the query.
      return null
    }
  }

  table(database: SqliteDatabase, name: string): TableLookup {
    const key = foldIdentifier(name)
    const known = this.#tables.get(key)
    if (known !== undefined) {
      return known
    }
    const shape = readTableShape(database, name)
    this.#tables.set(key, shape)
    return shape
  }

  /** Null if there is no such view, or it is not understood. */
  view(database: SqliteDatabase, name: string): ViewDefinition | null {
    const key = foldIdentifier(name)
    let view = this.#views.get(key)
    if (view === undefined) {
      const entry = readView(database, name)
      view = (entry === null ? null : viewDefinition(entry)) ?? false
      this.#views.set(key, view)
    }
    return view === false ? null : view
  }
}
