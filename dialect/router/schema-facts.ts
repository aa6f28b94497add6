import { limits } from '../../src/core/limits.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import { readSchemaVersion, readTableShape, type TableLookup } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { BoundedMap } from './bounded-map.js'
import { readStatementFacts, type StatementFacts } from './statement-facts.js'

/** What SQLite says about statements and tables, kept as long as its schema stays. */
export class SchemaFacts {
  readonly #statements = new BoundedMap<string, StatementFacts>(limits.shapeCacheEntriesMax)
  readonly #tables = new BoundedMap<string, TableLookup>(limits.countedTablesMax)
  #version = -1

  /** Forgets everything when the schema has changed; to be called before the other methods. */
  refresh(database: SqliteDatabase): void {
    const version = readSchemaVersion(database)
    if (version !== this.#version) {
      this.#version = version
      this.#statements.clear()
      this.#tables.clear()
    }
  }

  /** Null for a statement that SQLite refuses. */
  statement(database: SqliteDatabase, sql: string): StatementFacts | null {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      return known
    }
    try {
      const facts = readStatementFacts(database, sql)
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
}
