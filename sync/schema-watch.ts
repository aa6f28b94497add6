import { readSchemaVersion, readTableShape } from '../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
import { hasCaptureTriggers } from './capture/triggers.js'
import type { SourceAccess } from './read/source-access.js'
import type { TrackedTable } from './tracked-table.js'

/**
 * Notices schema changes, whoever made them. A table whose definition, indexes or triggers are
 * not what its copy was made for leaves DuckDB at once and is copied anew.
 */
export class SchemaWatch {
  readonly #access: SourceAccess
  readonly #tables: ReadonlyMap<string, TrackedTable>
  /** SQLite's schema version that the copies are known to agree with. */
  version = -1

  constructor(access: SourceAccess, tables: ReadonlyMap<string, TrackedTable>) {
    this.#access = access
    this.#tables = tables
  }

  /** @param isFirst nothing is known yet of the time before: rowids may have been renumbered */
  async reload(isFirst: boolean): Promise<void> {
    await this.#access.read((database) => {
      const version = readSchemaVersion(database)
      const isChanged = version !== this.version
      this.version = version
      if (!isChanged && !isFirst) {
        return
      }
      for (const table of this.#tables.values()) {
        this.#check(database, table, isChanged)
      }
    })
  }

  /** After a schema change of our own, made when the version was `before`. */
  advance(before: number, after: number): void {
    if (this.version === before) {
      this.version = after
    }
  }

  #check(database: SqliteDatabase, table: TrackedTable, isChanged: boolean): void {
    if (table.state === 'refused') {
      table.state = 'absent'
      table.reason = null
      table.retryAtMs = 0
      return
    }
    if (table.live === null || table.tableId === null) {
      return
    }
    const shape = readTableShape(database, table.name)
    const hasTriggers = !('refused' in shape) && hasCaptureTriggers(database, shape, table.tableId)
    const isSame = JSON.stringify(shape) === JSON.stringify(table.live.shape)
    // VACUUM renumbers rowids that no INTEGER PRIMARY KEY holds, and fires no trigger.
    const mayBeRenumbered =
      isChanged && !table.live.shape.withoutRowid && table.live.shape.rowidAlias === null
    if (!isSame || !hasTriggers || mayBeRenumbered) {
      table.state = 'absent'
      table.live = null
      table.reason = 'the schema has changed'
      table.retryAtMs = 0
    }
    if ('refused' in shape) {
      table.state = 'refused'
      table.reason = shape.refused
    }
  }
}
