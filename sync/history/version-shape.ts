import type { ColumnShape, TableShape } from '../../src/core/table-shape.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { allColumns, type HistoryTable } from './history-table.js'
import { readLayouts } from './table-layout.js'

/** The column that has been the rowid for as long as the table is known; null where there is none. */
export function readRowidColumn(history: SqliteDatabase, table: HistoryTable): string | null {
  const columns = readLayouts(history, table).map(({ shape, columns }) => {
    const index = shape.columns.findIndex(({ name }) => name === shape.rowidAlias)
    return columns[index] ?? null
  })
  return columns.every((column) => column === columns[0]) ? (columns[0] ?? null) : null
}

/**
 * The columns of a copy: of those of `version_<id>` its own three, the key, and all columns the table ever had but for
 * `readRowidColumn`.
 */
export function versionShape(history: SqliteDatabase, table: HistoryTable): TableShape {
  const column = (name: string, affinity: ColumnShape['affinity']): ColumnShape => ({
    name,
    declaredType: '',
    affinity,
    notNull: false,
    collation: 'BINARY',
    generated: false,
  })
  const rowidColumn = readRowidColumn(history, table)
  const values = allColumns(history, table).filter((name) => name !== rowidColumn)
  return {
    name: `version_${table.id}`,
    sql: '',
    withoutRowid: false,
    strict: false,
    rowidAlias: 'id',
    rowidKeyword: 'rowid',
    primaryKey: ['id'],
    indexes: [],
    columns: [
      column('id', 'integer'),
      column('position', 'integer'),
      column('op', 'integer'),
      ...[...table.keys, ...values].map((name) => column(name, 'blob')),
    ],
  }
}
