/**
 * The part of better-sqlite3's Database that this package uses
 * (https://github.com/WiseLibs/better-sqlite3/blob/master/docs/api.md). Structural, so that
 * better-sqlite3 12 and 13 and their type packages all fit.
 */
export interface SqliteDatabase {
  readonly name: string
  readonly open: boolean
  readonly inTransaction: boolean
  readonly readonly: boolean
  readonly memory: boolean
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
  close(): unknown
}

export interface SqliteStatement {
  readonly source: string
  /** The statement returns rows. */
  readonly reader: boolean
  /** SQLite's own word that the statement writes nothing. */
  readonly readonly: boolean
  readonly busy: boolean
  all(...parameters: unknown[]): unknown[]
  get(...parameters: unknown[]): unknown
  run(...parameters: unknown[]): SqliteRunResult
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  columns(): SqliteColumnDefinition[]
  raw(toggle?: boolean): this
  pluck(toggle?: boolean): this
  safeIntegers(toggle?: boolean): this
}

export interface SqliteRunResult {
  readonly changes: number
  readonly lastInsertRowid: number | bigint
}

export interface SqliteColumnDefinition {
  readonly name: string
  readonly column: string | null
  readonly table: string | null
  readonly database: string | null
  readonly type: string | null
}
