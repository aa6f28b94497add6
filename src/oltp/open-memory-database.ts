import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * Opens a database in memory that belongs to nobody.
 *
 * @param integers how integers come back by default
 */
export async function openMemoryDatabase(integers: 'number' | 'bigint'): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const database = new Database(':memory:') as SqliteDatabase & {
    defaultSafeIntegers(toggle: boolean): unknown
  }
  if (integers === 'bigint') {
    database.defaultSafeIntegers(true)
  }
  return database
}
