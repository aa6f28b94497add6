import { limits } from '../core/limits.js'
import { leadingKeyword, mayBeRead, mayChangeSchema } from './leading-keyword.js'
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js'

/** A prepared statement and what can be said of it once and for all. */
export interface PreparedStatement {
  readonly statement: SqliteStatement
  readonly keyword: string
  /** Returns rows, writes nothing and changes no setting. */
  readonly isPlainRead: boolean
  readonly mayChangeSchema: boolean
}

/**
 * Prepared statements by SQL text, the least recently used dropped first.
 *
 * A statement survives a schema change of somebody else: SQLite compiles it anew at its next
 * step, and better-sqlite3 reads the columns' names after that step. Only `columns()` of a
 * statement that has not run since is stale.
 */
export class StatementCache {
  readonly #database: SqliteDatabase
  readonly #entriesMax: number
  readonly #entries = new Map<string, PreparedStatement>()

  constructor(database: SqliteDatabase, entriesMax: number = limits.statementCacheEntriesMax) {
    this.#database = database
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** @throws SqliteError as `Database.prepare` does. */
  get(sql: string): PreparedStatement {
    const cached = this.#entries.get(sql)
    if (cached !== undefined) {
      // A statement that is being iterated cannot run a second time meanwhile.
      if (cached.statement.busy) {
        return prepare(this.#database, sql)
      }
      this.#entries.delete(sql)
      this.#entries.set(sql, cached)
      return cached
    }
    const prepared = prepare(this.#database, sql)
    // Many pragmas take effect while they are prepared, so each use must prepare anew.
    if (prepared.keyword !== 'pragma') {
      this.#keep(sql, prepared)
    }
    return prepared
  }

  /**
   * As `get` for a plain read; null for anything else, which is then not even prepared where its
   * first word tells.
   */
  getRead(sql: string): PreparedStatement | null {
    if (!this.#entries.has(sql) && !mayBeRead(leadingKeyword(sql))) {
      return null
    }
    const prepared = this.get(sql)
    return prepared.isPlainRead ? prepared : null
  }

  clear(): void {
    this.#entries.clear()
  }

  #keep(sql: string, prepared: PreparedStatement): void {
    this.#entries.set(sql, prepared)
    if (this.#entries.size > this.#entriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
  }
}

function prepare(database: SqliteDatabase, sql: string): PreparedStatement {
  const statement = database.prepare(sql)
  const keyword = leadingKeyword(sql)
  return Object.freeze({
    statement,
    keyword,
    isPlainRead: statement.reader && statement.readonly && mayBeRead(keyword),
    mayChangeSchema: mayChangeSchema(keyword, sql),
  })
}
