import type { ColumnKind } from '../../src/core/column-batch.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { captureKey } from '../capture/triggers.js'

/**
 * How a table is read for the mirror. Plain data: it is sent to the worker thread as it is.
 * Row layout: the mirror's columns in order, the extra rowid column first if there is one.
 */
export interface TableReadPlan {
  readonly tableId: number
  /** Quoted name of the table in SQLite. */
  readonly table: string
  /** SQL of the key columns in SQLite: the rowid keyword or quoted primary key columns. */
  readonly keys: readonly string[]
  /** Where the keys stand in a row. */
  readonly keyPositions: readonly number[]
  readonly keyKinds: readonly ColumnKind[]
  /** SQL of what is selected, in the order of the mirror's columns. */
  readonly selections: readonly string[]
  readonly kinds: readonly ColumnKind[]
  /** An INTEGER PRIMARY KEY makes `selections` begin with no extra rowid column. */
  readonly hasExtraRowid: boolean
}

export function createReadPlan(
  tableId: number,
  shape: TableShape,
  storage: readonly ColumnKind[],
  schema = 'main',
): TableReadPlan {
  const hasExtraRowid = !shape.withoutRowid && shape.rowidAlias === null
  const columns = shape.columns.map((column) => quoteIdentifier(column.name))
  const kinds: ColumnKind[] = hasExtraRowid ? ['int64', ...storage] : [...storage]
  const keyNames = shape.withoutRowid ? shape.primaryKey : [shape.rowidAlias]
  const keyPositions = hasExtraRowid
    ? [0]
    : keyNames.map((name) => shape.columns.findIndex((column) => column.name === name))
  const capture = captureKey(shape)
  return Object.freeze({
    tableId,
    table: `${schema}.${quoteIdentifier(shape.name)}`,
    keys: shape.withoutRowid ? capture.map(quoteIdentifier) : capture,
    keyPositions,
    keyKinds: keyPositions.map((position) => kinds[position] as ColumnKind),
    selections: hasExtraRowid ? [...capture, ...columns] : columns,
    kinds,
    hasExtraRowid,
  })
}
