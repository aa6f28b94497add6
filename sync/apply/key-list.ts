import type { ColumnBatch } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { MirroredTable } from './mirrored-table.js'

/** The changed keys of a slice, as SQL can name them: in place, or as a table of keys. */
export type KeyList =
  | { readonly type: 'literals'; readonly sql: string }
  | { readonly type: 'table'; readonly sql: string }

/** A few integer keys, ready to stand between the brackets of an IN; null for any others. */
export function keyLiterals(keys: readonly ColumnBatch[]): string | null {
  const [batch] = keys
  const column = batch?.columns[0]
  const isShort =
    batch !== undefined &&
    keys.length === 1 &&
    batch.rowCount <= limits.deleteLiteralsMax &&
    batch.columns.length === 1
  return isShort && column?.kind === 'int64'
    ? [...column.values.subarray(0, batch.rowCount)].join(', ')
    : null
}

/** The column of a key that is one column. */
export function keyOf(table: MirroredTable): string {
  return table.keyColumns.map(quoteIdentifier).join()
}

/** The condition under which a row of `left` has the key that a row of the key table `right` holds. */
export function joinKeys(table: MirroredTable, left: string, right: string): string {
  return table.keyColumns
    .map((column, index) => `${left}.${quoteIdentifier(column)} = ${right}.k${index}`)
    .join(' and ')
}

/** Smallest and largest changed rowid; keys come sorted. Null for tables without a rowid. */
export function rowidRange(
  table: MirroredTable,
  keys: readonly ColumnBatch[],
): { readonly min: bigint; readonly max: bigint } | null {
  const first = keys.at(0)
  const last = keys.at(-1)
  const firstColumn = first?.columns[0]
  const lastColumn = last?.columns[0]
  if (
    table.shape.withoutRowid ||
    last === undefined ||
    firstColumn?.kind !== 'int64' ||
    lastColumn?.kind !== 'int64'
  ) {
    return null
  }
  const min = firstColumn.values[0] as bigint
  const max = lastColumn.values[last.rowCount - 1] as bigint
  return { min, max }
}
