/** One step of a random life of a database: plain data, so that a failure prints as a script. */
export type Operation =
  | Statement
  | Schema
  | { readonly do: 'transaction'; readonly steps: readonly Step[]; readonly commit: boolean }
  | Upkeep

/** What may stand in a transaction. */
export type Step =
  | Statement
  | Schema
  | { readonly do: 'savepoint'; readonly steps: readonly Step[]; readonly keep: boolean }

export type Statement =
  | {
      readonly do: 'insert'
      readonly table: TableName
      readonly rows: readonly Row[]
      readonly conflict: 'abort' | 'ignore' | 'replace' | 'update'
    }
  | {
      readonly do: 'update'
      readonly table: TableName
      readonly set: Row
      readonly where: Row
    }
  | { readonly do: 'delete'; readonly table: TableName; readonly where: Row }

export type Schema =
  | { readonly do: 'add-column'; readonly table: TableName; readonly initial: Value }
  | { readonly do: 'drop-column' | 'rename-column'; readonly table: TableName }
  | { readonly do: 'toggle-index' | 'recreate'; readonly table: TableName }

/** What happens around the data and must change no answer. */
export type Upkeep =
  | { readonly do: 'compare' | 'reopen' | 'crash' | 'lose-mirror' | 'pause' | 'vacuum' }
  | { readonly do: 'rebuild'; readonly table: TableName }
  /** The same statement by a process that knows nothing of this package. */
  | { readonly do: 'foreign'; readonly statement: Statement }

export type Value = null | number | string | Uint8Array
export type Row = Readonly<Record<string, Value>>
export type TableName = keyof typeof tableKinds

/** The tables: each way in which a row can be identified. */
export const tableKinds = {
  /** A rowid with a name, and a unique column beside it. */
  keyed: { key: ['id'], unique: 'k', columns: ['id', 'k', 'n', 'x'] },
  /** WITHOUT ROWID and two key columns. */
  paired: { key: ['a', 'b'], unique: null, columns: ['a', 'b', 'v'] },
  /** A rowid that nothing names, and a unique column that REPLACE works through. */
  nameless: { key: [], unique: 'k', columns: ['k', 'p', 'q'] },
} as const satisfies Record<
  string,
  {
    readonly key: readonly string[]
    readonly unique: string | null
    readonly columns: readonly string[]
  }
>

export const tableNames = Object.keys(tableKinds) as TableName[]

export const createSql: Readonly<Record<TableName, string>> = {
  keyed: 'create table keyed(id integer primary key, k text unique, n integer, x real)',
  paired: 'create table paired(a integer, b text, v, primary key (a, b)) without rowid',
  nameless: 'create table nameless(k text unique, p integer, q text)',
}
