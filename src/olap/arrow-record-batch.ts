import {
  Binary,
  type Data,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow'
import { assert } from '../core/assert.js'
import type { ColumnBatch, ColumnVector } from '../core/column-batch.js'

/**
 * A batch as an Arrow record batch over the same memory: nothing is copied, so the batch must
 * not be reused while the record batch lives.
 *
 * @param names of the columns, by position; all different
 *
 * ### Examples
 *
 * ```ts
 * const bytes = tableToIPC(new Table(toRecordBatch(batch, ['id', 'name'])))
 * ```
 */
export function toRecordBatch(batch: ColumnBatch, names: readonly string[]): RecordBatch {
  const { rowCount, columns } = batch
  assert(names.length === columns.length, 'every column has a name')
  // Arrow's schema looks columns up by name and would lose one.
  assert(new Set(names).size === names.length, 'the names of a record batch are all different')
  const children = columns.map((column) => toArrowData(column, rowCount))
  const schema = new Schema(
    children.map(({ type }, index) => new Field(names[index] ?? '', type, true)),
  )
  const type = new Struct(schema.fields)
  return new RecordBatch(schema, makeData({ type, length: rowCount, nullCount: 0, children }))
}

function toArrowData(column: ColumnVector, length: number): Data {
  const nulls = { length, nullCount: column.nullCount, nullBitmap: column.validity }
  if ('values' in column) {
    const { values } = column
    return values instanceof BigInt64Array
      ? makeData({ type: new Int64(), ...nulls, data: values.subarray(0, length) })
      : makeData({ type: new Float64(), ...nulls, data: values.subarray(0, length) })
  }
  const strings = { valueOffsets: column.offsets.subarray(0, length + 1), data: column.data }
  return column.kind === 'utf8'
    ? makeData({ type: new Utf8(), ...nulls, ...strings })
    : makeData({ type: new Binary(), ...nulls, ...strings })
}
