import { limits } from '../../../src/core/limits.js'
import { packageVersion } from '../../../src/core/version.js'
import type { OlapStore } from '../../../src/olap/olap-store.js'
import { readDefinitions } from '../../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../../src/oltp/sqlite-database.js'
import type { ShadowDifference } from '../../htap-shadow-config.js'
import { bindConstants } from '../parameters.js'
import { differingRows } from './difference.js'
import type { Differing, Rows } from './shadow-run.js'

interface MismatchFacts {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly differing: Differing
}

/** A text from which somebody else can see and repeat what differed. */
export async function describeMismatch(
  { sql, parameters, differing }: MismatchFacts,
  database: SqliteDatabase,
  store: OlapStore | null,
): Promise<string> {
  const { duckdb, sqliteRows, difference } = differing
  const { found, position } = duckdb
  const tables = found.tables.map((table) => table.shape.name)
  const bound = bindConstants(found.translated.parameters, found.constants)
  const storages = found.tables.map((table) => {
    const columns = table.columns.map((column) => `${column.name} ${column.storage}`)
    return `${table.sqlName}: ${columns.join(', ')}`
  })
  const indexes = differingRows(sqliteRows, duckdb.rows, limits.shadowReportRowsMax)
  return [
    section('SQLite and DuckDB answered differently', [
      await readVersions(database, store),
      `position ${position}, rules ${found.translated.rules.join(', ')}`,
      describeDifference(difference),
    ]),
    section('Schema', []),
    ...readDefinitions(database, tables, sql).map((definition) => `${definition};`),
    section(
      'Query',
      list(parameters, (index) => `parameter ${index}`),
    ),
    `${sql};`,
    section(
      'Plan of SQLite, where the order of the rows comes from it',
      lines(found.entry.planText),
    ),
    section('DuckDB', [...storages, ...list(bound, (index) => `$${index}`)]),
    `${found.translated.sql};`,
    section('The first rows that differ', [
      ...indexes.map((index) => `SQLite ${index}: ${describeRow(sqliteRows, index)}`),
      ...indexes.map((index) => `DuckDB ${index}: ${describeRow(duckdb.rows, index)}`),
    ]),
  ].join('\n')
}

async function readVersions(database: SqliteDatabase, store: OlapStore | null): Promise<string> {
  const sqlite = database.prepare('select sqlite_version()').pluck().get()
  const [row] =
    (await store
      ?.rows(
        { sql: 'select version()', parameters: [] },
        { columnNames: ['version'], integers: 'number' },
      )
      .catch(() => null)) ?? []
  const duckdb = row?.['version'] ?? 'unknown'
  return `kysely-htap ${packageVersion}, SQLite ${sqlite}, DuckDB ${duckdb}, Node ${process.version}`
}

function describeDifference(difference: ShadowDifference): string {
  switch (difference.kind) {
    case 'value': {
      const { row, column, sqliteValue, duckdbValue } = difference
      return `row ${row}, column ${column}: SQLite ${describe(sqliteValue)}, DuckDB ${describe(duckdbValue)}`
    }
    case 'columns': {
      const { row, sqliteColumns, duckdbColumns } = difference
      return `columns of row ${row}: SQLite ${sqliteColumns.join(', ')}; DuckDB ${duckdbColumns.join(', ')}`
    }
    case 'row-count':
      return `rows: SQLite ${difference.sqliteRows}, DuckDB ${difference.duckdbRows}`
    case 'error':
      return `SQLite raised: ${difference.sqliteError}`
  }
}

/** A heading and facts as comments of SQL, so that the whole text can be run. */
function section(title: string, facts: readonly string[]): string {
  const comments = facts.flatMap((fact) => fact.split('\n')).map((line) => `--   ${line}`)
  return ['', `-- ${title}`, ...comments].join('\n')
}

function list(values: readonly unknown[], name: (index: number) => string): string[] {
  return values.map((value, index) => `${name(index + 1)}: ${describe(value)}`)
}

function lines(text: string | null): string[] {
  return text === null ? [] : text.split('\n')
}

function describeRow(rows: Rows, index: number): string {
  const row = rows[index]
  return row === undefined
    ? 'none'
    : Object.entries(row)
        .map(([name, value]) => `${name} = ${describe(value)}`)
        .join(', ')
}

/** A value with its JavaScript type to be seen. */
function describe(value: unknown): string {
  const text = describeWhole(value)
  const max = limits.shadowReportValueMax
  return text.length > max ? `${text.slice(0, max)}... (${text.length} characters)` : text
}

function describeWhole(value: unknown): string {
  if (typeof value === 'bigint') {
    return `${value}n`
  }
  if (typeof value === 'string') {
    return JSON.stringify(value)
  }
  if (value instanceof Uint8Array) {
    return `x'${Buffer.from(value).toString('hex')}'`
  }
  return Object.is(value, -0) ? '-0' : String(value)
}
