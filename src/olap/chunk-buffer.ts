import { isUtf8 } from 'node:buffer'
import { assert } from '../core/assert.js'
import type {
  ColumnBatch,
  ColumnKind,
  ColumnVector,
  FixedColumnVector,
  VariableColumnVector,
} from '../core/column-batch.js'
import { HtapError } from '../core/htap-error.js'
import { limits } from '../core/limits.js'
import type { DataChunk, DuckDb, Vector } from './duckdb-bindings.js'
import { StringWords } from './string-words.js'

/** DuckDB's type of each kind of column. */
export function duckdbType(duckdb: DuckDb, kind: ColumnKind): number {
  const { BIGINT, DOUBLE, VARCHAR, BLOB } = duckdb.Type
  return { int64: BIGINT, float64: DOUBLE, utf8: VARCHAR, binary: BLOB }[kind]
}

/**
 * One DuckDB chunk with room for a batch, filled column by column with a single copy each.
 * It is reused because a new chunk per batch would wait for the garbage collector.
 *
 * The engine's copying checks no bounds: every length is checked here before.
 */
export class ChunkBuffer {
  readonly #duckdb: DuckDb
  readonly #kinds: readonly ColumnKind[]
  readonly #chunk: DataChunk
  readonly #vectors: readonly Vector[]
  readonly #words: StringWords

  constructor(duckdb: DuckDb, kinds: readonly ColumnKind[]) {
    this.#duckdb = duckdb
    this.#kinds = kinds
    this.#chunk = duckdb.create_data_chunk(
      kinds.map((kind) => duckdb.create_logical_type(duckdbType(duckdb, kind))),
    )
    // The vectors stay the same through resets of the chunk.
    this.#vectors = kinds.map((_, column) => duckdb.data_chunk_get_vector(this.#chunk, column))
    this.#words = new StringWords(duckdb)
  }

  /** The chunk with the batch's values, good until the next call. */
  fill(batch: ColumnBatch): DataChunk {
    const { rowCount, columns } = batch
    assert(rowCount <= limits.batchRowsMax, 'a batch fits into one chunk')
    assert(columns.length === this.#kinds.length, 'a batch has the columns of its table')
    this.#duckdb.data_chunk_reset(this.#chunk)
    columns.forEach((column, index) => {
      const vector = this.#vectors[index]
      assert(vector !== undefined && column.kind === this.#kinds[index], 'kinds are the table’s')
      if ('values' in column) {
        this.#fillFixed(vector, column, rowCount)
      } else {
        this.#fillStrings(vector, column, rowCount)
      }
      this.#fillValidity(vector, column, rowCount)
    })
    this.#duckdb.data_chunk_set_size(this.#chunk, rowCount)
    return this.#chunk
  }

  #fillFixed(vector: Vector, column: FixedColumnVector, rowCount: number): void {
    checkValues(column, rowCount)
    const { values } = column
    const buffer = plainBuffer(values)
    this.#duckdb.copy_data_to_vector(vector, 0, buffer, values.byteOffset, rowCount * 8)
  }

  #fillStrings(vector: Vector, column: VariableColumnVector, rowCount: number): void {
    checkStrings(column, rowCount)
    const words = this.#words.build(vector, column, rowCount)
    this.#duckdb.copy_data_to_vector(vector, 0, words, 0, rowCount * 16)
  }

  #fillValidity(vector: Vector, column: ColumnVector, rowCount: number): void {
    const { validity } = column
    if (validity === null || column.nullCount === 0) {
      assert(column.nullCount === 0, 'a column with nulls has a bitmap')
      return
    }
    const byteCount = Math.ceil(rowCount / 64) * 8
    assert(validity.length >= byteCount, 'a bitmap covers every row')
    this.#duckdb.vector_ensure_validity_writable(vector)
    const buffer = plainBuffer(validity)
    this.#duckdb.copy_data_to_vector_validity(vector, 0, buffer, validity.byteOffset, byteCount)
  }
}

/** @throws HtapError `assertion` when the values are not of the column's kind, or too few */
export function checkValues(column: FixedColumnVector, rowCount: number): void {
  const { kind, values } = column
  assert(values.length >= rowCount, 'a column has a value for every row')
  assert(values instanceof BigInt64Array === (kind === 'int64'), 'values are of their kind')
}

/** @throws HtapError `olap-failed` for text that is not UTF-8, which the engine must not get */
export function checkStrings(column: VariableColumnVector, rowCount: number): void {
  const { offsets, data } = column
  assert(offsets.length > rowCount, 'a column has an offset for every row')
  let last = offsets[0] ?? -1
  let ordered = last >= 0
  for (let row = 1; row <= rowCount; row++) {
    const offset = offsets[row] ?? -1
    ordered &&= offset >= last
    last = offset
  }
  assert(ordered && last <= data.length, 'offsets ascend within the data')
  if (column.kind === 'utf8' && !isUtf8(data.subarray(offsets[0], last))) {
    throw new HtapError('olap-failed', 'a text is not valid UTF-8')
  }
}

/** The engine copies from ordinary memory only. */
function plainBuffer(view: ArrayBufferView): ArrayBuffer {
  assert(view.buffer instanceof ArrayBuffer, 'batches are not in shared memory')
  return view.buffer
}
