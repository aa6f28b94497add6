import { limits } from '../core/limits.js'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** Opens a second, read-only connection to a database file in WAL mode. */
export async function openReadConnection(path: string): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  return new Database(path, {
    readonly: true,
    fileMustExist: true,
    timeout: limits.readBusyTimeoutMs,
  })
}

/**
 * Opens a connection of our own that reads and writes within single turns of the event loop; it
 * never waits for a lock, because waiting would block the loop.
 */
export async function openControlConnection(path: string): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const database = new Database(path, { fileMustExist: true, timeout: 0 })
  database.exec('pragma synchronous = normal')
  return database
}
