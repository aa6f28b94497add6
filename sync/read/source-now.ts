import { readSchemaVersion } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { LogPlace } from '../capture/log-place.js'
import type { SourceAccess } from './source-access.js'
import { SourceStateReader } from './source-state.js'

/** What everybody sees of the source at this moment, in a few microseconds. */
export class SourceNow {
  readonly #access: SourceAccess
  #reader: SourceStateReader | null = null

  constructor(access: SourceAccess) {
    this.#access = access
  }

  /**
   * The newest place of the change log; null when somebody has emptied or removed it, undefined
   * while a transaction on a shared connection hides it.
   */
  head(): LogPlace | null | undefined {
    return this.#access.readNow((database) => this.#head(database))
  }

  /** As `head`, as soon as nothing hides it. */
  settledHead(): Promise<LogPlace | null> {
    return this.#access.read((database) => this.#head(database))
  }

  /** SQLite's number of the schema; undefined while a transaction on a shared connection hides it. */
  schemaVersion(): number | undefined {
    return this.#access.readNow((database) => this.#schemaVersion(database))
  }

  /** As `schemaVersion`, as soon as nothing hides it. */
  settledSchemaVersion(): Promise<number> {
    return this.#access.read((database) => this.#schemaVersion(database))
  }

  #head(database: SqliteDatabase): LogPlace | null {
    try {
      this.#reader ??= new SourceStateReader(database)
      return this.#reader.head()
    } catch (error) {
      // Removed, or of another version of this package; any other failure says nothing of the log.
      if (/no such (table|column)/.test(String(error))) {
        return null
      }
      throw error
    }
  }

  #schemaVersion(database: SqliteDatabase): number {
    return this.#reader?.schemaVersion() ?? readSchemaVersion(database)
  }
}
