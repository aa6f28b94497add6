import { rmSync } from 'node:fs'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * A lock between processes that the operating system takes back when its holder dies: an open
 * exclusive transaction on a SQLite file without tables. Node itself offers no file locks.
 */
export class FileLock {
  readonly #path: string
  readonly #database: SqliteDatabase

  private constructor(path: string, database: SqliteDatabase) {
    this.#path = path
    this.#database = database
  }

  /** Null while somebody else holds the lock. */
  static async tryAcquire(path: string): Promise<FileLock | null> {
    const Database = await importBetterSqlite3()
    const database = new Database(path, { timeout: 0 })
    try {
      if (database.prepare('pragma page_count').pluck().get() === 0) {
        database.exec('pragma user_version = 1')
      }
      database.exec('begin exclusive')
      // The holder before us removed the file and we may have locked what is no longer there.
      // Before its first write into a file that is not empty SQLite looks whether the file still
      // has its name.
      database.exec('pragma user_version = 2')
      return new FileLock(path, database)
    } catch (error) {
      database.close()
      const { code } = error as { readonly code?: string }
      if (code !== undefined && lostRaces.has(code)) {
        return null
      }
      throw error
    }
  }

  /** Removes the file and lets the next one in. */
  release(): void {
    // In this order, because once the lock is gone somebody else may own the file. Windows
    // removes no open file and so leaves it there, empty.
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // The lock does not depend on it.
    }
    this.#database.close()
  }
}

/** Somebody else holds the lock, or has removed the file while we took it. */
const lostRaces: ReadonlySet<string> = new Set([
  'SQLITE_BUSY',
  'SQLITE_BUSY_RECOVERY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_IOERR_DELETE_NOENT',
  'SQLITE_IOERR_FSTAT',
  'SQLITE_READONLY_DBMOVED',
])
