import type { DuckDBConnection } from '@duckdb/node-api'
import type { Database } from 'better-sqlite3'
import type { ColumnKind } from '../../dist/src/core/column-batch.js'
import { type ColumnProfile, storageClass } from '../../dist/src/core/column-profile.js'
import type { MirrorColumn, MirrorTable } from '../../dist/src/core/mirror-table.js'
import { quoteIdentifier } from '../../dist/src/core/sql-identifier.js'
import type { Affinity, ColumnShape, IndexShape } from '../../dist/src/core/table-shape.js'
import type { Random } from './random.js'

/** The settings under which the translations are proven. */
export const duckSettings = [
  "SET default_null_order='nulls_first_on_asc_last_on_desc'",
  'SET integer_division=true',
  'SET ieee_floating_point_ops=false',
  'SET order_by_non_integer_literal=true',
  'SET scalar_subquery_error_on_multiple_rows=true',
  'SET preserve_insertion_order=true',
  'SET old_implicit_casting=false',
  'SET autoinstall_known_extensions=false',
  'SET autoload_known_extensions=false',
  'CREATE SCHEMA IF NOT EXISTS mirror',
]

/** Reads a table's shape and profile as the product's catalogue and copy loop would. */
export function mirrorOf(db: Database, name: string): MirrorTable {
  const quoted = quoteIdentifier(name)
  const { sql, wr, strict } = db
    .prepare(
      'select s.sql, l.wr, l.strict from sqlite_schema s join pragma_table_list(s.name) l where s.name = ?',
    )
    .get(name) as { sql: string; wr: number; strict: number }
  const infos = db.prepare(`select * from pragma_table_xinfo(?) where hidden <> 1`).all(name) as {
    name: string
    type: string
    notnull: number
    pk: number
  }[]
  const indexes = indexesOf(db, name)
  const keyed = infos.filter((info) => info.pk > 0).sort((a, b) => a.pk - b.pk)
  const primaryKey = keyed.map((info) => info.name)
  const rowidAlias =
    wr === 0 && keyed.length === 1 && keyed[0]!.type.toUpperCase() === 'INTEGER'
      ? keyed[0]!.name
      : null
  const columns = infos.map((info) => mirrorColumn(db, quoted, sql, info, wr === 1))
  const rowidColumn = wr === 1 ? null : (rowidAlias ?? '__rowid')
  const rowCount = db.prepare(`select count(*) from ${quoted}`).pluck().get() as number
  return {
    shape: {
      name,
      sql,
      withoutRowid: wr === 1,
      strict: strict === 1,
      columns: columns.map((column) => column.shape),
      rowidAlias,
      rowidKeyword: wr === 1 ? null : 'rowid',
      primaryKey,
      indexes,
    },
    sqlName: `mirror.${quoteIdentifier(name)}`,
    keyColumns: rowidColumn === null ? primaryKey : [rowidColumn],
    rowidColumn,
    columns,
    rowCount,
  }
}

function indexesOf(db: Database, name: string): IndexShape[] {
  const list = db.prepare('select * from pragma_index_list(?)').all(name) as {
    name: string
    unique: number
    origin: 'c' | 'u' | 'pk'
    partial: number
  }[]
  return list.map((index) => {
    const columns = db
      .prepare('select * from pragma_index_xinfo(?) where key = 1 order by seqno')
      .all(index.name) as { name: string | null; coll: string; desc: number }[]
    return {
      name: index.name,
      unique: index.unique === 1,
      partial: index.partial === 1,
      origin: index.origin,
      columns: columns.map((column) => ({
        name: column.name,
        collation: column.coll.toUpperCase(),
        descending: column.desc === 1,
      })),
    }
  })
}

function mirrorColumn(
  db: Database,
  table: string,
  createSql: string,
  info: { name: string; type: string; notnull: number; pk: number },
  withoutRowid: boolean,
): MirrorColumn {
  const values = db
    .prepare(`select ${quoteIdentifier(info.name)} from ${table}`)
    .pluck()
    .safeIntegers()
    .all()
  const profile = profileOf(values)
  const affinity = affinityOf(info.type)
  // Good enough for the tables of the tests: a collation follows its column's name and type.
  const collation =
    new RegExp(`"?${info.name}"? [a-z]+ collate (nocase|rtrim)`, 'i').exec(createSql)?.[1] ??
    'BINARY'
  const shape: ColumnShape = {
    name: info.name,
    declaredType: info.type,
    affinity,
    notNull: info.notnull === 1 || (withoutRowid && info.pk > 0),
    collation: collation.toUpperCase(),
    generated: false,
  }
  const storage = storageOf(profile, affinity)
  const unsafe = storage === null ? 'mixed classes' : null
  return { shape, name: info.name, storage: storage ?? 'utf8', profile, unsafe }
}

function affinityOf(type: string): Affinity {
  const upper = type.toUpperCase()
  if (upper.includes('INT')) {
    return 'integer'
  }
  if (/CHAR|CLOB|TEXT/.test(upper)) {
    return 'text'
  }
  if (upper === '' || upper.includes('BLOB')) {
    return 'blob'
  }
  return /REAL|FLOA|DOUB/.test(upper) ? 'real' : 'numeric'
}

function profileOf(values: readonly unknown[]): ColumnProfile {
  const profile = {
    classes: 0,
    hasHugeInteger: false,
    realAbsMax: 0,
    realAbsMin: 0,
    hasInfinity: false,
    hasNonAscii: false,
    hasDoubtfulText: false,
  }
  for (const value of values) {
    if (value === null) {
      profile.classes |= storageClass.null
    } else if (typeof value === 'bigint') {
      profile.classes |= storageClass.integer
      profile.hasHugeInteger ||= value >= 2n ** 53n || value <= -(2n ** 53n)
    } else if (typeof value === 'number') {
      profile.classes |= storageClass.real
      profile.hasInfinity ||= !Number.isFinite(value)
      profile.realAbsMax = Math.max(
        profile.realAbsMax,
        Number.isFinite(value) ? Math.abs(value) : 0,
      )
      if (Number.isFinite(value) && value !== 0) {
        const least = profile.realAbsMin === 0 ? Number.POSITIVE_INFINITY : profile.realAbsMin
        profile.realAbsMin = Math.min(least, Math.abs(value))
      }
    } else if (typeof value === 'string') {
      profile.classes |= storageClass.text
      profile.hasNonAscii ||= [...value].some((character) => character > '\x7f')
      profile.hasDoubtfulText ||= value.includes('\0') || value.includes('\ufffd')
    } else {
      profile.classes |= storageClass.blob
    }
  }
  return profile
}

function storageOf(profile: ColumnProfile, affinity: Affinity): ColumnKind | null {
  const classes = profile.classes & ~storageClass.null
  const { integer, real, text, blob } = storageClass
  switch (classes) {
    case 0:
      return { integer: 'int64', numeric: 'int64', real: 'float64', text: 'utf8', blob: 'binary' }[
        affinity
      ] as ColumnKind
    case integer:
      return 'int64'
    case real:
      return 'float64'
    case text:
      return 'utf8'
    case blob:
      return 'binary'
    case integer | real:
      return affinity !== 'blob' && affinity !== 'text' && !profile.hasHugeInteger
        ? 'float64'
        : null
    default:
      return null
  }
}

const duckType = { int64: 'BIGINT', float64: 'DOUBLE', utf8: 'VARCHAR', binary: 'BLOB' } as const

/** Copies a table; rows go in in random order, because a mirror promises none. */
export async function copyToDuck(
  duck: DuckDBConnection,
  db: Database,
  table: MirrorTable,
  random: Random,
): Promise<void> {
  const extra = table.rowidColumn === '__rowid' ? ['__rowid'] : []
  const columns = [
    ...table.columns.map((column) => `${quoteIdentifier(column.name)} ${duckType[column.storage]}`),
    ...extra.map((name) => `${name} BIGINT`),
  ]
  await duck.run(`CREATE OR REPLACE TABLE ${table.sqlName} (${columns.join(', ')})`)
  const selected = [
    ...table.columns.map((column) =>
      column.unsafe === null ? quoteIdentifier(column.name) : 'null',
    ),
    ...extra.map(() => 'rowid'),
  ]
  const rows = db
    .prepare(`select ${selected.join(', ')} from ${quoteIdentifier(table.shape.name)}`)
    .raw()
    .safeIntegers()
    .all() as unknown[][]
  const literal = (value: unknown, i: number) => {
    const type = duckType[table.columns[i]?.storage ?? 'int64']
    return `CAST(${sqlLiteral(value)} AS ${type})`
  }
  const tuples = random.shuffled(rows).map((row) => `(${row.map(literal).join(', ')})`)
  if (tuples.length > 0) {
    await duck.run(`INSERT INTO ${table.sqlName} VALUES ${tuples.join(', ')}`)
  }
}

function sqlLiteral(value: unknown): string {
  if (value === null) {
    return 'NULL'
  }
  if (typeof value === 'bigint') {
    return `'${value}'`
  }
  if (typeof value === 'number') {
    return `'${Object.is(value, -0) ? '-0.0' : String(value)}'`
  }
  return typeof value === 'string'
    ? `'${value.replaceAll("'", "''")}'`
    : `from_hex('${(value as Buffer).toString('hex')}')`
}
