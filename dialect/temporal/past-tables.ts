import type { ColumnProfile } from '../../src/core/column-profile.js'
import { emptyColumnProfile, storageClass } from '../../src/core/column-profile.js'
import type { MirrorColumn, MirrorTable } from '../../src/core/mirror-table.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape, TableShape } from '../../src/core/table-shape.js'
import { extraRowidColumn } from '../../sync/apply/mirrored-table.js'
import { type CopiedVersions, copySchema } from '../../sync/history/copied-versions.js'
import { type HistoryTable, versionTable } from '../../sync/history/history-table.js'
import { operationCode } from '../../sync/history/operation-code.js'
import { rowsAsOfSql } from '../../sync/history/rows-as-of.js'
import { fitsStorage } from '../../sync/read/batch-encoder.js'

/** Which versions show, in positions: those that begin and end within these bounds. */
export interface VersionRange {
  readonly beginMin: number
  readonly beginMax: number
  /** The end lies behind this, or there is none. */
  readonly endAfter: number
  /** The end lies here at the latest; null where none is needed. */
  readonly endMax: number | null
  /** The ends of rows, too. */
  readonly deleted: boolean
}

/** A table of a query of the past: which versions of which table it shows. */
export interface PastTable {
  /** As the query calls it. */
  readonly name: string
  readonly history: HistoryTable
  /** For each column of its shape the one that holds it in `version_<id>`. */
  readonly columns: readonly string[]
  readonly shows:
    | { readonly kind: 'state'; readonly position: number }
    | { readonly kind: 'versions'; readonly range: VersionRange }
}

/** Stand for columns of `version_<id>`: when a version begins and ends, in microseconds. */
export const periodColumn = Object.freeze({ from: 'valid_from', to: 'valid_to' })

/** The column of `version_<id>` with the letter of what became of the row. */
export const operationColumn = 'op'

/** The rows of the table as a SELECT on the history file: the rowid where it has one, then its columns. */
export function pastRowsSql(past: PastTable, shape: TableShape, schema: string): string {
  const { history, columns, shows } = past
  if (shows.kind === 'state') {
    const key = shape.withoutRowid ? [] : [history.keys[0] ?? 'k0']
    return rowsAsOfSql(history, [...key, ...columns], shows.position, { schema })
  }
  const versions = versionTable(history, schema)
  const later = `(select later.position from ${versions} later
    where later.previous = v.id)`
  const moment = (position: string) =>
    `(select instant from ${schema}.history_transaction where position = v.${position})`
  return `select id, ${columns.map((name) => versionColumn(name, moment)).join(', ')}
    from (select v.*, iif(op = 'D', position, ${later}) as until from ${versions} v) v
    where ${rangeCondition(shows.range, "'D'")}`
}

function versionColumn(name: string, moment: (position: string) => string): string {
  if (name === periodColumn.from) {
    return moment('position')
  }
  return name === periodColumn.to ? moment('until') : `v.${name}`
}

/** @param end what the ends of rows have as `op` */
function rangeCondition(range: VersionRange, end: string): string {
  const { beginMin, beginMax, endAfter, endMax, deleted } = range
  return [
    `v.position BETWEEN ${beginMin} AND ${beginMax}`,
    `(v.until IS NULL OR v.until > ${endAfter})`,
    ...(endMax === null ? [] : [`v.until <= ${endMax}`]),
    ...(deleted ? [] : [`v.op <> ${end}`]),
  ].join(' AND ')
}

/** The table as the translator sees it: its rows are a SELECT on the copy of the history. */
export function pastMirror(past: PastTable, shape: TableShape, copy: CopiedVersions): MirrorTable {
  const columns = shape.columns.map((column, index): MirrorColumn => {
    return mirrorColumn(column, shape, past.columns[index] ?? '', copy)
  })
  return Object.freeze({
    shape,
    sqlName: relation(past, shape, copy),
    keyColumns: shape.withoutRowid ? shape.primaryKey : [shape.rowidAlias ?? extraRowidColumn],
    rowidColumn: shape.withoutRowid ? null : (shape.rowidAlias ?? extraRowidColumn),
    columns: Object.freeze(columns),
    rowCount: 0,
  })
}

/** Columns that are not held as queries see them. */
const ownColumns: ReadonlyMap<string, string> = new Map([
  [periodColumn.from, 'f.instant'],
  [periodColumn.to, 'u.instant'],
  [operationColumn, operationCode.letter('v.op')],
])

function relation(past: PastTable, shape: TableShape, copy: CopiedVersions): string {
  const { columns, shows, history } = past
  const isState = shows.kind === 'state'
  const rowid = isState ? (history.keys[0] ?? 'k0') : 'id'
  const hasExtra = !shape.withoutRowid && shape.rowidAlias === null
  const selected = [
    ...(hasExtra ? [`v.${rowid} AS ${quoteIdentifier(extraRowidColumn)}`] : []),
    ...shape.columns.map(({ name }, index) => {
      const column = columns[index] ?? ''
      return `${ownColumns.get(column) ?? `v.${copy.column(column).name}`} AS ${quoteIdentifier(name)}`
    }),
  ].join(', ')
  if (shows.kind === 'state') {
    const { position } = shows
    return `(SELECT ${selected} FROM ${copy.sqlName} v WHERE v.position <= ${position} AND v.until > ${position})`
  }
  const known = copy.position
  return `(SELECT ${selected} FROM ${copy.sqlName} v
    JOIN ${copySchema}.moment f ON f.position = v.position
    LEFT JOIN ${copySchema}.moment u ON u.position = v.until AND v.until <= ${known}
    WHERE v.position <= ${known} AND ${rangeCondition(shows.range, String(operationCode.end))})`
}

function mirrorColumn(
  shape: ColumnShape,
  table: TableShape,
  column: string,
  copy: CopiedVersions,
): MirrorColumn {
  if (column === periodColumn.from || column === periodColumn.to) {
    const nullable = column === periodColumn.to ? storageClass.null : 0
    const profile = { ...emptyColumnProfile, classes: storageClass.integer | nullable }
    return Object.freeze({ shape, name: shape.name, storage: 'int64', profile, unsafe: null })
  }
  if (column === operationColumn) {
    const profile = { ...emptyColumnProfile, classes: storageClass.text }
    return Object.freeze({ shape, name: shape.name, storage: 'utf8', profile, unsafe: null })
  }
  const { storage, profile } = copy.column(column)
  return Object.freeze({
    shape,
    name: shape.name,
    storage,
    profile: withoutEnds(profile, shape, table),
    unsafe: fitsStorage(storage, profile) ? null : 'holds values of several storage classes',
  })
}

/** The end of a row is noted with NULL in all columns; it shows in no state. */
function withoutEnds(
  profile: ColumnProfile,
  column: ColumnShape,
  table: TableShape,
): ColumnProfile {
  const isKey =
    column.name === table.rowidAlias ||
    (table.withoutRowid && table.primaryKey.includes(column.name))
  return column.notNull || isKey
    ? { ...profile, classes: profile.classes & ~storageClass.null }
    : profile
}
