import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { hasTable } from '../../src/oltp/catalogue.js'
import { openMemoryDatabase } from '../../src/oltp/open-memory-database.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type SchemaObject, statisticsTables } from '../../sync/capture/schema-notes.js'
import { SchemaFacts } from '../router/schema-facts.js'
import { type PastTable, pastRowsSql } from './past-tables.js'

/** What a query of the past needs to be answered. */
export interface PastDesign {
  /** Tables first, then indexes, then views; each of them only if what it needs is there. */
  readonly objects: readonly SchemaObject[]
  /** By their folded names in the query. */
  readonly tables: ReadonlyMap<string, PastTable>
  /** Folded names of tables that were there, and whose rows nobody knows. */
  readonly unknown: ReadonlySet<string>
}

/**
 * A SQLite database in memory that is made as the source was: it says how SQLite understands a query
 * of the past, and answers where DuckDB does not.
 */
export class PastDatabase {
  readonly database: SqliteDatabase
  readonly facts = new SchemaFacts()
  readonly #filled = new Set<string>()

  private constructor(database: SqliteDatabase) {
    this.database = database
  }

  /**
   * @param integers how integers come back
   * @param onCreate adds what the application's own connections have
   */
  static async open(
    objects: readonly SchemaObject[],
    integers: 'number' | 'bigint',
    onCreate: ((database: SqliteDatabase) => void | Promise<void>) | undefined,
  ): Promise<PastDatabase> {
    const database = await openMemoryDatabase(integers)
    try {
      await onCreate?.(database)
      // Rows were checked when they were written.
      database.exec('pragma foreign_keys = off; pragma ignore_check_constraints = on')
      const made = objects.filter(({ type }) => type !== 'statistics')
      for (const { sql, type } of made) {
        create(database, type, sql)
      }
      if (made.length < objects.length) {
        addStatistics(database, objects)
      }
      return new PastDatabase(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** What the table of a query looks like; null if there is none. */
  shape({ name }: PastTable): TableShape | null {
    const shape = this.facts.table(this.database, name)
    return 'refused' in shape ? null : shape
  }

  /**
   * Reads the rows of tables, as far as they are not there yet.
   *
   * @param path of the history file
   */
  fill(tables: readonly PastTable[], path: string): void {
    const missing = tables.filter(({ name }) => !this.#filled.has(name))
    if (missing.length === 0) {
      return
    }
    this.database.prepare(`attach ? as ${schema}`).run(path)
    try {
      this.database.exec('begin')
      for (const past of missing) {
        const shape = this.shape(past)
        if (shape !== null) {
          this.database.exec(fillSql(past, shape))
        }
      }
      this.database.exec('commit')
      for (const { name } of missing) {
        this.#filled.add(name)
      }
    } catch (error) {
      if (this.database.inTransaction) {
        this.database.exec('rollback')
      }
      throw error
    } finally {
      this.database.exec(`detach ${schema}`)
    }
  }

  close(): void {
    this.database.close()
  }
}

const schema = 'past'

/** What an index or a view needs may be gone; then it cannot be used either. A table is always made. */
function create(database: SqliteDatabase, type: SchemaObject['type'], sql: string): void {
  try {
    database.exec(sql)
  } catch (error) {
    if (type === 'table') {
      throw error
    }
  }
}

/** What SQLite plans by, as it was. */
function addStatistics(database: SqliteDatabase, objects: readonly SchemaObject[]): void {
  // Makes the tables of statistics, and finds something in empty tables too.
  database.exec('analyze')
  for (const name of statisticsTables.filter((it) => hasTable(database, it))) {
    database.exec(`delete from ${name}`)
  }
  for (const { type, sql } of objects) {
    if (type === 'statistics') {
      database.exec(sql)
    }
  }
  database.exec('analyze sqlite_schema')
}

function fillSql(past: PastTable, shape: TableShape): string {
  const rowid = shape.withoutRowid ? [] : [shape.rowidKeyword ?? 'rowid']
  const isStored = shape.columns.map(({ generated }) => !generated)
  const stored = shape.columns.filter((_, index) => isStored[index])
  const target = [...rowid, ...stored.map(({ name }) => quoteIdentifier(name))]
  const columns = past.columns.filter((_, index) => isStored[index])
  return `insert into main.${quoteIdentifier(past.name)}(${target.join(', ')})
    ${pastRowsSql({ ...past, columns }, shape, schema)}`
}
