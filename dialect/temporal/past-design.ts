import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SchemaObject } from '../../sync/capture/schema-notes.js'
import type { HistoryTable } from '../../sync/history/history-table.js'
import {
  columnsAt,
  findTablesAt,
  newestTables,
  readColumnNames,
  readSchemaAt,
} from '../../sync/history/past-schema.js'
import { readLayouts } from '../../sync/history/table-layout.js'
import type { PeriodColumns } from '../htap-dialect-config.js'
import type { PastDesign } from './past-database.js'
import { operationColumn, type PastTable, periodColumn, type VersionRange } from './past-tables.js'

/** A query of the past with positions in place of moments. */
export interface PlacedQuery {
  readonly base: { readonly position: number } | VersionRange
  /** Tables at positions of their own, by their names in the query. */
  readonly tables: readonly {
    readonly name: string
    readonly table: string
    readonly position: number
  }[]
}

/**
 * What a database must be made of to answer a query of the past.
 *
 * @throws HtapError `history-incomplete` for a position before the history began
 */
export function designPast(
  history: SqliteDatabase,
  query: PlacedQuery,
  period: PeriodColumns,
): PastDesign {
  const alone = query.tables.map((it) => tableAlone(history, it))
  const base =
    'position' in query.base
      ? wholeState(history, query.base.position)
      : allVersions(history, query.base, period)
  const parts = [...alone, base]
  return {
    objects: parts.flatMap((it) => it.objects),
    tables: new Map(
      parts.flatMap((it) => it.tables).map((table) => [foldIdentifier(table.name), table]),
    ),
    unknown: new Set(parts.flatMap((it) => it.unknown).map(foldIdentifier)),
  }
}

interface DesignPart {
  readonly objects: readonly SchemaObject[]
  readonly tables: readonly PastTable[]
  readonly unknown: readonly string[]
}

function schemaAt(history: SqliteDatabase, position: number): readonly SchemaObject[] {
  const schema = readSchemaAt(history, position)
  if (schema === null) {
    throw new HtapError('history-incomplete', 'the history begins after this moment', {
      hint: 'it begins when temporal mode is switched on; what was there before is not known',
      facts: { position },
    })
  }
  return schema.objects
}

function wholeState(history: SqliteDatabase, position: number): DesignPart {
  const objects = schemaAt(history, position)
  const tables = objects.flatMap((object) =>
    object.type === 'table' ? (stateOf(history, object, object.name, position) ?? []) : [],
  )
  const names = new Set(tables.map(({ name }) => foldIdentifier(name)))
  return {
    objects: objects.filter(
      (it) => it.table === '' || it.type === 'view' || names.has(foldIdentifier(it.table)),
    ),
    tables,
    unknown: missing(objects, names),
  }
}

/** Tables of a schema that are none of these. */
function missing(objects: readonly SchemaObject[], known: ReadonlySet<string>): readonly string[] {
  return objects.flatMap(({ type, name }) =>
    type === 'table' && !known.has(foldIdentifier(name)) ? [name] : [],
  )
}

/** Null for a table without history. */
function stateOf(
  history: SqliteDatabase,
  object: SchemaObject,
  name: string,
  position: number,
): PastTable | null {
  for (const table of findTablesAt(history, object.name, position)) {
    const columns = columnsAt(history, table, object.sql, position)
    if (columns !== null) {
      return { name, history: table, columns, shows: { kind: 'state', position } }
    }
  }
  return null
}

/** One table under the name that it has in the query. */
function tableAlone(
  history: SqliteDatabase,
  { name, table, position }: PlacedQuery['tables'][number],
): DesignPart {
  const objects = schemaAt(history, position).filter(
    (it) => it.type !== 'view' && foldIdentifier(it.table) === foldIdentifier(table),
  )
  const own = objects.find((it) => it.type === 'table')
  const past = own === undefined ? null : stateOf(history, own, name, position)
  if (own === undefined || past === null) {
    return { objects: [], tables: [], unknown: own === undefined ? [] : [name] }
  }
  const indexes = objects.filter((it) => it.type === 'index')
  const renamed = quoteIdentifier(name)
  return {
    objects: [
      own,
      ...indexes.map((index) => ({ ...index, sql: withIndexName(index, `${index.name}@${name}`) })),
      // Nothing else stands in this database yet that could refer to it.
      { ...own, sql: `alter table ${quoteIdentifier(own.name)} rename to ${renamed}` },
    ],
    tables: [past],
    unknown: [],
  }
}

/** SQLite keeps CREATE INDEX with the name as it was written, quoted or not. */
function withIndexName({ sql, name }: SchemaObject, other: string): string {
  const start = /^\s*create\s+(?:unique\s+)?index\s+/i.exec(sql)?.[0].length ?? 0
  const rest = sql.slice(start)
  const written = [quoteIdentifier(name), `[${name}]`, `\`${name}\``, `'${name}'`, name]
  const length = written.find((it) => rest.toLowerCase().startsWith(it.toLowerCase()))?.length ?? 0
  return `${sql.slice(0, start)}${quoteIdentifier(other)}${rest.slice(length)}`
}

/** Every table with all columns that it ever had, and its period. */
function allVersions(
  history: SqliteDatabase,
  range: VersionRange,
  period: PeriodColumns,
): DesignPart {
  const made = newestTables(history).map((table) => versionsOf(history, table, range, period))
  const names = new Set(made.map(({ past }) => foldIdentifier(past.name)))
  const objects = readSchemaAt(history, Number.MAX_SAFE_INTEGER)?.objects ?? []
  return {
    objects: made.map(({ object }) => object),
    tables: made.map(({ past }) => past),
    unknown: missing(objects, names),
  }
}

/** The columns that are the key of a row, in the order of `HistoryTable.keys`. */
function keyNames(shape: TableShape): readonly string[] {
  if (shape.withoutRowid) {
    return shape.primaryKey
  }
  return shape.rowidAlias === null ? [] : [shape.rowidAlias]
}

function versionsOf(
  history: SqliteDatabase,
  table: HistoryTable,
  range: VersionRange,
  period: PeriodColumns,
): { readonly object: SchemaObject; readonly past: PastTable } {
  const newest = readLayouts(history, table).at(-1)
  const defined = new Map<string, { readonly sql: string; readonly column: string }>()
  const define = (name: string, column: string, type: string) => {
    const key = foldIdentifier(name)
    if (!defined.has(key)) {
      defined.set(key, { sql: `${quoteIdentifier(name)} ${type}`, column })
    }
  }
  const keys = newest === undefined ? [] : keyNames(newest.shape)
  for (const [index, column] of newest?.shape.columns.entries() ?? []) {
    // The end of a row has its key, and nothing else.
    const key = table.keys[keys.indexOf(column.name)]
    const collation =
      column.collation === 'BINARY' ? '' : `collate ${quoteIdentifier(column.collation)}`
    const type = column.declaredType === '' ? '' : quoteIdentifier(column.declaredType)
    define(column.name, key ?? newest?.columns[index] ?? '', `${type} ${collation}`)
  }
  for (const [column, name] of readColumnNames(history, table)) {
    define(name, column, '')
  }
  define(period.validFrom, periodColumn.from, 'integer')
  define(period.validTo, periodColumn.to, 'integer')
  define(period.operation, operationColumn, 'text')
  define(period.position, 'position', 'integer')
  const columns = [...defined.values()]
  const sql = `create table ${quoteIdentifier(table.name)}(${columns.map((it) => it.sql).join(', ')})`
  return {
    object: { type: 'table', name: table.name, table: table.name, sql },
    past: {
      name: table.name,
      history: table,
      columns: columns.map(({ column }) => column),
      shows: { kind: 'versions', range },
    },
  }
}
