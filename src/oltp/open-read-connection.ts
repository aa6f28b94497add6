import { limits } from '../core/limits.js'
import { through } from '../core/outside-world.js'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** Opens a second, read-only connection to a database file in WAL mode. */
export async function openReadConnection(path: string): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const options = { readonly: true, fileMustExist: true, timeout: limits.readBusyTimeoutMs }
  return through('sqlite', new Database(path, options))
}

/**
 * Opens a connection of our own that reads and writes within single turns of the event loop; it
 * never waits for a lock, because waiting would block the loop.
 */
export async function openControlConnection(path: string): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const database = through('sqlite', new Database(path, { fileMustExist: true, timeout: 0 }))
  database.exec('pragma synchronous = normal')
  return database
}
