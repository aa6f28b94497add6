import * as fs from 'node:fs'
import { limits } from '../core/limits.js'
import { through } from '../core/outside-world.js'
import { importBetterSqlite3 } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * The names by which a history connection knows the database whose history it keeps, and that
 * history. Views may name what they read as `main.x`, so they cannot be loaded under another name.
 */
export const sourceSchema = 'main'
export const historySchema = 'history'

/**
 * Opens the file that keeps the history of a database, beside that database. Every commit is on disk
 * before it returns: what the history has is deleted elsewhere.
 *
 * @param path of the history, made by `makeHistoryFile`
 * @param sourcePath of the database, a WAL file; only to be read
 */
export async function openHistoryConnection(
  path: string,
  sourcePath: string,
): Promise<SqliteDatabase> {
  const Database = await importBetterSqlite3()
  const options = { fileMustExist: true, timeout: limits.readBusyTimeoutMs }
  const database = through('sqlite', new Database(sourcePath, options))
  try {
    database.prepare(`attach ? as ${historySchema}`).run(path)
    // What is deleted here must not be known any more.
    database.exec(
      `pragma ${historySchema}.synchronous = full; pragma ${historySchema}.secure_delete = on;
       pragma temp_store = memory`,
    )
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Writes SQLite's log of the history back into the file, as far as no reader needs it. */
export function checkpointHistory(history: SqliteDatabase): void {
  history.prepare(`pragma ${historySchema}.wal_checkpoint(passive)`).all()
}

/** Of a new file. Versions are added to its end by many, and each page is read and written by itself. */
const pageBytes = 16_384

/**
 * Makes the file if need be; `prepare` runs in a write transaction on it. It writes its texts as the
 * database does: SQLite lets no others stand beside each other.
 */
export async function makeHistoryFile(
  path: string,
  sourcePath: string,
  prepare: (file: SqliteDatabase) => void,
): Promise<void> {
  const Database = await importBetterSqlite3()
  const encoding = readEncoding(new Database(sourcePath, { readonly: true }))
  createClosed(path, sourcePath)
  const file = through('sqlite', new Database(path, { timeout: limits.readBusyTimeoutMs }))
  try {
    file.exec(`pragma page_size = ${pageBytes}; pragma encoding = '${encoding}'`)
    file.prepare('pragma journal_mode = wal').all()
    file.exec('pragma synchronous = full; begin immediate')
    prepare(file)
    file.exec('commit')
  } finally {
    file.close()
  }
}

function readEncoding(source: SqliteDatabase): string {
  try {
    return String(source.prepare('pragma encoding').pluck().get())
  } finally {
    source.close()
  }
}

/** Whoever may not read the database may not read its past. SQLite's own log goes by the file. */
function createClosed(path: string, sourcePath: string): void {
  const files = through('files', fs)
  if (!files.existsSync(path)) {
    const { mode } = files.statSync(sourcePath)
    const descriptor = files.openSync(path, 'a', mode)
    files.fchmodSync(descriptor, mode & permissionBits)
    files.closeSync(descriptor)
  }
}

const permissionBits = 0o777
