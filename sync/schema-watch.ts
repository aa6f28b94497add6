import { readSchemaVersion, readTableShape, type TableLookup } from '../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import { readRowidLife } from './capture/rowid-life.js'
import { hasCaptureTriggers } from './capture/triggers.js'
import type { SourceAccess } from './read/source-access.js'
import type { SourceNow } from './read/source-now.js'
import { type TrackedTable, takeOff } from './tracked-table.js'
import type { TrackedTables } from './tracked-tables.js'

/**
 * Notices schema changes, whoever made them. A table whose definition, indexes or triggers are
 * not what its copy was made for leaves DuckDB at once and is copied anew.
 */
export class SchemaWatch {
  readonly #access: SourceAccess
  readonly #source: SourceNow
  readonly #tables: TrackedTables
  /** SQLite's schema version that the copies are known to agree with. */
  version = -1
  #changes = 0

  constructor(access: SourceAccess, source: SourceNow, tables: TrackedTables) {
    this.#access = access
    this.#source = source
    this.#tables = tables
  }

  /** Grows with every change of the schema that is not our own. */
  get changes(): number {
    return this.#changes
  }

  /** SQLite's number of the schema that everybody sees; null while a transaction hides it. */
  committedVersion(): number | null {
    return this.#source.schemaVersion() ?? null
  }

  /** Checks the copies when the schema is not the one that they are known to agree with. */
  async refresh(): Promise<boolean> {
    const version = this.#source.schemaVersion() ?? (await this.#source.settledSchemaVersion())
    const isChanged = version !== this.version
    if (isChanged) {
      await this.reload(false)
    }
    return isChanged
  }

  /** @param isFirst nothing is known yet of the time before */
  async reload(isFirst: boolean): Promise<void> {
    await this.#access.read((database) => this.#reload(database, isFirst))
  }

  /** Of copies that nobody reads yet, those that still are what their tables are. */
  async findFitting(copies: readonly MirroredTable[]): Promise<ReadonlySet<MirroredTable>> {
    return this.#access.read((database) => {
      this.#reload(database, false)
      return new Set(
        copies.filter((copy) => fits(database, copy, readTableShape(database, copy.shape.name))),
      )
    })
  }

  /** After a schema change of our own, made when the version was `before`. */
  advance(before: number, after: number): void {
    if (this.version === before) {
      this.version = after
    }
  }

  #reload(database: SqliteDatabase, isFirst: boolean): void {
    const version = readSchemaVersion(database)
    if (version === this.version && !isFirst) {
      return
    }
    this.#changes++
    for (const table of this.#tables.byName.values()) {
      this.#check(database, table)
    }
    // Not before: should a check fail, all are made again.
    this.version = version
  }

  #check(database: SqliteDatabase, table: TrackedTable): void {
    if (table.state === 'refused') {
      table.state = 'absent'
      table.reason = null
      table.retryAtMs = 0
      return
    }
    if (table.live === null) {
      return
    }
    const shape = readTableShape(database, table.name)
    if (!fits(database, table.live, shape)) {
      takeOff(table, 'the schema has changed')
      table.retryAtMs = 0
    }
    if ('refused' in shape) {
      table.state = 'refused'
      table.reason = shape.refused
    }
  }
}

/** True while a copy is of the table as it is now and has missed none of its changes. */
function fits(database: SqliteDatabase, copy: MirroredTable, shape: TableLookup): boolean {
  return (
    !('refused' in shape) &&
    JSON.stringify(shape) === JSON.stringify(copy.shape) &&
    hasCaptureTriggers(database, shape, copy.tableId) &&
    (copy.rowidLife === null || copy.rowidLife === readRowidLife(database))
  )
}
