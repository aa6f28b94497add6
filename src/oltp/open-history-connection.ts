import { limits } from '../core/limits.js'
import { through } from '../core/outside-world.js'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** The name by which a history connection knows the database whose history it keeps. */
export const sourceSchema = 'source'

/**
 * Opens the file that keeps the history of a database, made if need be, with that database beside
 * it. Every commit is on disk before it returns: what the history has is deleted elsewhere.
 *
 * @param path of the history
 * @param sourcePath of the database, a WAL file; only read
 * @param prepare runs in a write transaction of the history, before the database stands beside it
 */
export async function openHistoryConnection(
  path: string,
  sourcePath: string,
  prepare: (history: SqliteDatabase) => void,
): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const database = through('sqlite', new Database(path, { timeout: limits.readBusyTimeoutMs }))
  try {
    database.prepare('pragma journal_mode = wal').all()
    database.exec('pragma synchronous = full; pragma temp_store = memory')
    database.exec('begin immediate')
    prepare(database)
    database.exec('commit')
    database.prepare(`attach ? as ${sourceSchema}`).run(sourcePath)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
