import { statSync } from 'node:fs'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * Tells a file from another one that took its name; null where there is none. A connection keeps
 * the file that it has opened, and whoever opens the name later may get another.
 */
export function fileIdentity(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.dev} ${stat.ino}`
}

const identities = new WeakMap<SqliteDatabase, string | null>()

/** The file that a connection has open: what its path led to when this was first asked. */
export function connectionIdentity(database: SqliteDatabase, path: string): string | null {
  let identity = identities.get(database)
  if (identity === undefined) {
    identity = fileIdentity(path)
    identities.set(database, identity)
  }
  return identity
}

/** @throws Error when a path no longer leads to that file */
export function assertFile(path: string, identity: string | null): void {
  if (fileIdentity(path) !== identity) {
    throw new Error(`${path} is another file by now`)
  }
}
