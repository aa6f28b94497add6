import { connectionIdentity } from './file-identity.js'
import {
  databaseFile,
  importBetterSqlite3,
  type SqliteDatabaseConstructor,
} from './open-database.js'
import { ReadConnections } from './read-connections.js'
import { ReadThreads } from './read-threads.js'
import { Reads } from './reads.js'
import type { SqliteDatabase } from './sqlite-database.js'
import type { Writer } from './writer.js'

/** Places for reads beside the writer; null for a database that no second connection can see. */
export async function openReads(
  writer: Writer,
  onCreateConnection: ((database: SqliteDatabase) => void | Promise<void>) | undefined,
): Promise<Reads | null> {
  const { database } = writer
  const path = databaseFile(database)
  if (path === null) {
    return null
  }
  const Database = database.constructor as SqliteDatabaseConstructor
  const busyTimeoutMs = Number(database.prepare('pragma busy_timeout').pluck().get())
  const connections = new ReadConnections({
    Database,
    path,
    identity: connectionIdentity(database, path),
    busyTimeoutMs,
    onCreateConnection,
  })
  return new Reads(writer, connections, await openReadThreads(database))
}

/** Threads that read a database's file; null where it has none, or they would not be of one SQLite. */
export async function openReadThreads(database: SqliteDatabase): Promise<ReadThreads | null> {
  const path = databaseFile(database)
  const Database = database.constructor as SqliteDatabaseConstructor
  if (path === null || !(await isThreadsOwn(Database))) {
    return null
  }
  const value = (sql: string) => database.prepare(sql).pluck().get()
  const busyTimeoutMs = Number(value('pragma busy_timeout'))
  const sqliteVersion = String(value('select sqlite_version()'))
  const identity = connectionIdentity(database, path)
  return new ReadThreads({ path, identity, busyTimeoutMs, sqliteVersion }, Database.SqliteError)
}

/**
 * A thread loads better-sqlite3 by its name. Were that another copy than the one that opened the
 * database, the process would have two SQLite libraries on one file, and closing in one would
 * drop the locks of the other (https://www.sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
 */
async function isThreadsOwn(Database: SqliteDatabaseConstructor): Promise<boolean> {
  try {
    return (await importBetterSqlite3()) === Database
  } catch {
    return false
  }
}
