import type { SqliteDatabase } from './sqlite-database.js'

/** Only in WAL mode readers and the writer leave each other alone (https://sqlite.org/wal.html). */
export function isSharedWal(database: SqliteDatabase): boolean {
  const read = (name: string) => database.prepare(`pragma main.${name}`).pluck().get()
  return read('journal_mode') === 'wal' && read('locking_mode') === 'normal'
}
