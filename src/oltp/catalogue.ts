import { foldIdentifier, quoteIdentifier, quoteText } from '../core/sql-identifier.js'
import type { Affinity, ColumnShape, IndexShape, TableShape } from '../core/table-shape.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** Names that begin so belong to this package and show in no introspection. */
export const internalPrefix = '_htap_'

/** Whether the main schema has a table of exactly this name. */
export function hasTable(database: SqliteDatabase, name: string): boolean {
  return (
    database
      .prepare("select 1 from main.sqlite_schema where type = 'table' and name = ?")
      .get(name) !== undefined
  )
}

/** The shape of an ordinary table of the main schema, or why it has none. */
export type TableLookup = TableShape | { readonly refused: string }

/** The number that SQLite raises with every change of the schema, VACUUM included. */
export function readSchemaVersion(database: SqliteDatabase): number {
  return Number(database.prepare('pragma main.schema_version').pluck().get())
}

/**
 * Makes the connection take note of a schema change by another one. SQLite does so when a statement
 * runs; until then it prepares statements, and explains them, by the schema that it knew.
 */
export function loadSchema(database: SqliteDatabase): void {
  database.prepare('select 1 from main.sqlite_schema limit 1').get()
}

/**
 * Reads what SQLite's catalogue says about a table of the main schema. Names are compared as
 * SQLite does, ignoring the case of ASCII letters.
 */
export function readTableShape(database: SqliteDatabase, name: string): TableLookup {
  const entry = database
    .prepare(
      `select l.name, l.type, l.wr, l.strict, s.sql
       from pragma_table_list l left join main.sqlite_schema s on s.type = 'table' and s.name = l.name
       where l.schema = 'main' and l.name = ? collate nocase`,
    )
    .raw()
    .safeIntegers(false)
    .get(name) as [string, string, number, number, string | null] | undefined
  if (entry === undefined) {
    return { refused: 'no such table' }
  }
  const [tableName, type, withoutRowid, strict, sql] = entry
  if (type !== 'table' || sql === null) {
    return { refused: `is a ${type} table` }
  }
  const folded = foldIdentifier(tableName)
  if (folded.startsWith('sqlite_') || folded.startsWith(internalPrefix)) {
    return { refused: 'is a system table' }
  }
  return describeTable(database, {
    name: tableName,
    sql,
    withoutRowid: withoutRowid === 1,
    strict: strict === 1,
  })
}

/** A view of the main schema: its name, its CREATE VIEW as SQLite keeps it, its columns' names. */
export interface ViewEntry {
  readonly name: string
  readonly sql: string
  readonly columns: readonly string[]
}

/** Null if there is no view of that name in the main schema. */
export function readView(database: SqliteDatabase, name: string): ViewEntry | null {
  const entry = database
    .prepare(
      "select name, sql from main.sqlite_schema where type = 'view' and name = ? collate nocase",
    )
    .raw()
    .get(name) as [string, string] | undefined
  if (entry === undefined) {
    return null
  }
  const columns = database
    .prepare(`select name from pragma_table_info(${quoteText(entry[0])}, 'main') order by cid`)
    .pluck()
    .all() as string[]
  return Object.freeze({ name: entry[0], sql: entry[1], columns: Object.freeze(columns) })
}

/** Names of all ordinary user tables of the main schema. */
export function listTableNames(database: SqliteDatabase): string[] {
  const names = database
    .prepare("select name from pragma_table_list where schema = 'main' and type = 'table'")
    .pluck()
    .all() as string[]
  return names.filter((name) => {
    const folded = foldIdentifier(name)
    return !folded.startsWith('sqlite_') && !folded.startsWith(internalPrefix)
  })
}

/** How SQLite reads a declared type: https://sqlite.org/datatype3.html section 3.1. */
export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase()
  if (type.includes('INT')) {
    return 'integer'
  }
  if (type.includes('CHAR') || type.includes('CLOB') || type.includes('TEXT')) {
    return 'text'
  }
  if (type.includes('BLOB') || type === '') {
    return 'blob'
  }
  if (type.includes('REAL') || type.includes('FLOA') || type.includes('DOUB')) {
    return 'real'
  }
  return 'numeric'
}

interface TableEntry {
  readonly name: string
  readonly sql: string
  readonly withoutRowid: boolean
  readonly strict: boolean
}

type ColumnRow = [
  cid: number,
  name: string,
  type: string,
  notNull: number,
  fallback: unknown,
  keyPosition: number,
  hidden: number,
]

function describeTable(database: SqliteDatabase, entry: TableEntry): TableLookup {
  const rows = database
    .prepare(`pragma main.table_xinfo(${quoteText(entry.name)})`)
    .raw()
    .safeIntegers(false)
    .all() as ColumnRow[]
  const readable = rows.filter((row) => row[6] !== 1)
  const mayCollate = /collate/i.test(entry.sql)
  const columns = readable.map(([, name, declaredType, notNull, , , hidden]): ColumnShape => {
    const collation = mayCollate ? readCollation(database, entry.name, name) : 'BINARY'
    return Object.freeze({
      name,
      declaredType,
      affinity: entry.strict && declaredType === 'ANY' ? 'blob' : affinityOf(declaredType),
      notNull: notNull === 1,
      collation,
      generated: hidden === 2 || hidden === 3,
    })
  })
  const primaryKey = readable
    .filter((row) => row[5] > 0)
    .sort((a, b) => a[5] - b[5])
    .map((row) => row[1])
  const indexes = readIndexes(database, entry.name)
  return Object.freeze({
    ...entry,
    columns: Object.freeze(columns),
    primaryKey: Object.freeze(primaryKey),
    rowidAlias: findRowidAlias(entry, readable, indexes),
    rowidKeyword: entry.withoutRowid ? null : findRowidKeyword(readable),
    indexes: Object.freeze(indexes),
  })
}

/**
 * A lone primary key column declared exactly INTEGER is the rowid, unless it was written
 * `INTEGER PRIMARY KEY DESC`, which gives it an index of its own: https://sqlite.org/lang_createtable.html#rowid
 */
function findRowidAlias(
  entry: TableEntry,
  columns: readonly ColumnRow[],
  indexes: readonly IndexShape[],
): string | null {
  const keys = columns.filter((row) => row[5] > 0)
  const [key] = keys
  if (entry.withoutRowid || keys.length !== 1 || key === undefined) {
    return null
  }
  const hasOwnIndex = indexes.some((index) => index.origin === 'pk')
  return key[2].toUpperCase() === 'INTEGER' && !hasOwnIndex ? key[1] : null
}

function findRowidKeyword(columns: readonly ColumnRow[]): TableShape['rowidKeyword'] {
  const taken = new Set(columns.map((row) => foldIdentifier(row[1])))
  return (['rowid', '_rowid_', 'oid'] as const).find((keyword) => !taken.has(keyword)) ?? null
}

function readIndexes(database: SqliteDatabase, table: string): IndexShape[] {
  const list = database
    .prepare(`pragma main.index_list(${quoteText(table)})`)
    .raw()
    .safeIntegers(false)
    .all() as [number, string, number, 'c' | 'u' | 'pk', number][]
  return list.map(([, name, unique, origin, partial]) => {
    const columns = database
      .prepare(`pragma main.index_xinfo(${quoteText(name)})`)
      .raw()
      .safeIntegers(false)
      .all() as [number, number, string | null, number, string, number][]
    return Object.freeze({
      name,
      unique: unique === 1,
      partial: partial === 1,
      origin,
      columns: Object.freeze(
        columns
          .filter((column) => column[5] === 1)
          .map(([, cid, columnName, descending, collation]) =>
            Object.freeze({
              name: cid === -1 ? 'rowid' : cid === -2 ? null : columnName,
              collation: collation.toUpperCase(),
              descending: descending === 1,
            }),
          ),
      ),
    })
  })
}

/**
 * No pragma tells a column's collation; the key description of a sorter does. The unary plus
 * keeps the collation and keeps SQLite from sorting by an index instead.
 */
function readCollation(database: SqliteDatabase, table: string, column: string): string {
  const program = database
    .prepare(
      `explain select 1 from main.${quoteIdentifier(table)} order by +${quoteIdentifier(column)}`,
    )
    .raw()
    .safeIntegers(false)
    .all() as unknown[][]
  const sorter = program.find((row) => row[1] === 'SorterOpen')
  const match = /^k\(\d+,-?([^,)]*)/.exec(String(sorter?.[5] ?? ''))
  const collation = (match?.[1] ?? '').toUpperCase()
  return collation === '' || collation === 'B' ? 'BINARY' : collation
}

/**
 * The CREATE statements of tables with their indexes, and of the views that a query names, in the
 * order in which they can be run again.
 */
export function readDefinitions(
  database: SqliteDatabase,
  tables: readonly string[],
  query: string,
): string[] {
  const entries = database
    .prepare('select type, name, tbl_name, sql from main.sqlite_schema where sql is not null')
    .raw()
    .all() as [type: string, name: string, table: string, sql: string][]
  const wanted = new Set(tables.map(foldIdentifier))
  let text = foldIdentifier(query)
  for (let before = ''; before !== text; ) {
    before = text
    for (const [type, name, , sql] of entries) {
      const view = foldIdentifier(name)
      if (type === 'view' && !wanted.has(view) && text.includes(view)) {
        wanted.add(view)
        text += foldIdentifier(sql)
      }
    }
  }
  return entries
    .filter(([type, , table]) => type !== 'trigger' && wanted.has(foldIdentifier(table)))
    .map((entry) => entry[3])
}
