import { HtapError } from '../core/htap-error.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** The part of better-sqlite3's constructor that this package uses. */
export interface SqliteDatabaseConstructor {
  new (
    path: string,
    options?: {
      readonly readonly?: boolean
      readonly fileMustExist?: boolean
      readonly timeout?: number
    },
  ): SqliteDatabase
  readonly SqliteError: new (message: string, code: string) => Error & { readonly code: string }
}

export interface OpenDatabaseOptions {
  readonly journalMode?: string
  readonly synchronous?: string
  /** In milliseconds. */
  readonly busyTimeoutMs?: number
}

const defaults = { journalMode: 'wal', synchronous: 'normal', busyTimeoutMs: 5000 } as const

/**
 * Opens a file by its path with settings that suit one writer beside many readers.
 *
 * @throws HtapError `config-invalid` when better-sqlite3 is not installed or a setting is unknown
 */
export async function openDatabase(
  path: string,
  options: OpenDatabaseOptions = {},
): Promise<SqliteDatabase> {
  const settings = { ...defaults, ...options }
  const timeout = settings.busyTimeoutMs
  if (!Number.isInteger(timeout) || timeout < 0) {
    throw new HtapError('config-invalid', '`pragmas.busyTimeoutMs` must be a whole number >= 0')
  }
  const Database = await importBetterSqlite3()
  const database = new Database(path, { timeout })
  try {
    set(database, 'journal_mode', settings.journalMode)
    set(database, 'synchronous', settings.synchronous)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * The application's own better-sqlite3.
 *
 * @throws HtapError `config-invalid` when it is not installed
 */
export async function importBetterSqlite3(): Promise<SqliteDatabaseConstructor> {
  try {
    const module: { readonly default: unknown } = await import('better-sqlite3')
    return module.default as SqliteDatabaseConstructor
  } catch (cause) {
    throw new HtapError('config-invalid', 'the package `better-sqlite3` cannot be loaded', {
      hint: 'install it beside kysely-htap, it is a peer dependency',
      cause,
    })
  }
}

/**
 * Has the native part of better-sqlite3 loaded, which otherwise happens with the first connection. A thread does
 * so before its first task, as whoever gives up the task ends the thread, and must not do so meanwhile. What
 * fails fails again with that connection.
 */
export async function loadBetterSqlite3(): Promise<void> {
  try {
    const Database = await importBetterSqlite3()
    new Database(':memory:').close()
  } catch {
    // Told by whoever opens a connection.
  }
}

/** The absolute path of the main database's file; null where it has none. */
export function databaseFile(database: SqliteDatabase): string | null {
  const row = database.prepare('pragma database_list').all().find(isMain)
  return row === undefined || row.file === null || row.file === '' ? null : row.file
}

interface DatabaseListRow {
  readonly name: string
  readonly file: string | null
}

function isMain(row: unknown): row is DatabaseListRow {
  return (row as DatabaseListRow).name === 'main'
}

function set(database: SqliteDatabase, pragma: string, value: string): void {
  if (!/^[a-z]+$/i.test(value)) {
    throw new HtapError('config-invalid', `${pragma} cannot be ${JSON.stringify(value)}`)
  }
  try {
    const statement = database.prepare(`pragma ${pragma}=${value}`)
    if (statement.reader) {
      statement.all()
    } else {
      statement.run()
    }
  } catch (error) {
    // A file that cannot be written keeps the journal mode it has and can still be read.
    if ((error as { code?: unknown }).code !== 'SQLITE_READONLY') {
      throw error
    }
  }
}
