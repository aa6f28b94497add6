import * as fs from 'node:fs'
import { through } from '../core/outside-world.js'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * A lock between processes that the operating system takes back when its holder dies: an open
 * exclusive transaction on an empty SQLite file. Node itself offers no file locks.
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
    // Never by Node's own functions: closing a file drops all locks that this process has on it
    // (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
    if (identityOf(path) === null) {
      new Database(path).close()
    }
    const identity = identityOf(path)
    const database = through('sqlite', new Database(path, { timeout: 0 }))
    try {
      database.exec('begin exclusive')
      // The holder before us may have removed the file between our opening and locking it: then
      // others already lock a new one.
      if (identity !== null && identityOf(path) === identity) {
        return new FileLock(path, database)
      }
      database.close()
      return null
    } catch (error) {
      // Whatever failed, a connection that stayed open would hold the lock for nobody.
      database.close()
      const { code } = error as { readonly code?: string }
      // Held by somebody else; or just removed, so that SQLite cannot look at it any more.
      if (code?.startsWith('SQLITE_BUSY') || code === 'SQLITE_IOERR_FSTAT') {
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
      through('files', fs).rmSync(this.#path, { force: true })
    } catch {
      // The lock does not depend on it.
    }
    this.#database.close()
  }
}

/** Tells a file from another one that took its name; null where there is none. */
function identityOf(path: string): string | null {
  const stat = through('files', fs).statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.dev} ${stat.ino} ${stat.ctimeNs}`
}
