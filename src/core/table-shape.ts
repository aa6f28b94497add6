/** What SQLite's catalogue says about one ordinary table of the main schema. */
export interface TableShape {
  readonly name: string
  /** The text of CREATE TABLE as SQLite keeps it. */
  readonly sql: string
  readonly withoutRowid: boolean
  readonly strict: boolean
  /** All readable columns in `select *` order, generated ones included. */
  readonly columns: readonly ColumnShape[]
  /** The INTEGER PRIMARY KEY column, another name of the rowid; null if there is none. */
  readonly rowidAlias: string | null
  /** The keyword that reaches the rowid and that no column hides; null if there is none. */
  readonly rowidKeyword: 'rowid' | '_rowid_' | 'oid' | null
  /** Columns of the declared primary key in key order; empty if none is declared. */
  readonly primaryKey: readonly string[]
  readonly indexes: readonly IndexShape[]
}

export type Affinity = 'integer' | 'real' | 'text' | 'numeric' | 'blob'

export interface ColumnShape {
  readonly name: string
  readonly declaredType: string
  readonly affinity: Affinity
  readonly notNull: boolean
  /** Upper-case name: BINARY, NOCASE, RTRIM or one that the application registered. */
  readonly collation: string
  readonly generated: boolean
}

export interface IndexShape {
  readonly name: string
  readonly unique: boolean
  readonly partial: boolean
  /** 'c' CREATE INDEX, 'u' UNIQUE constraint, 'pk' PRIMARY KEY constraint. */
  readonly origin: 'c' | 'u' | 'pk'
  /** The declared key columns, without the rowid or key that SQLite appends. */
  readonly columns: readonly IndexColumn[]
}

export interface IndexColumn {
  /** Null for an expression. */
  readonly name: string | null
  readonly collation: string
  readonly descending: boolean
}
