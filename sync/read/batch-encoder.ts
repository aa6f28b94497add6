import type { ColumnBatch, ColumnKind, ColumnVector } from '../../src/core/column-batch.js'
import { type ColumnProfile, storageClass } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import type { BufferPool } from './buffer-pool.js'
import { ColumnEncoder } from './column-encoder.js'

/**
 * Turns rows of better-sqlite3 (`raw()`, `safeIntegers()`) into Arrow-layout batches and
 * profiles every value on the way. A value that does not fit its column's storage becomes
 * NULL and shows in the profile, which makes the column unsafe to read.
 */
export class BatchEncoder {
  readonly #columns: readonly ColumnEncoder[]
  #rowCount = 0

  constructor(kinds: readonly ColumnKind[], buffers: BufferPool) {
    this.#columns = kinds.map((kind) => new ColumnEncoder(kind, buffers))
  }

  get rowCount(): number {
    return this.#rowCount
  }

  get isFull(): boolean {
    return this.#rowCount === limits.batchRowsMax
  }

  /** Adds the values of `row` from `offset` on; the batch must not be full. */
  add(row: readonly unknown[], offset: number): void {
    const columns = this.#columns
    for (let index = 0; index < columns.length; index++) {
      columns[index]?.add(this.#rowCount, row[offset + index])
    }
    this.#rowCount++
  }

  /** Fills an empty batch with whole rows, column by column, which is quicker; they must fit. */
  addAll(rows: readonly (readonly unknown[])[]): void {
    const columns = this.#columns
    for (let index = 0; index < columns.length; index++) {
      columns[index]?.addAll(rows, index)
    }
    this.#rowCount = rows.length
  }

  /** The rows added so far, which must be some, as a batch; the encoder starts anew. */
  finish(): ColumnBatch {
    const rowCount = this.#rowCount
    const columns: ColumnVector[] = this.#columns.map((column) => column.finish(rowCount))
    this.#rowCount = 0
    return { rowCount, columns }
  }

  /** What was seen since the last call, one profile a column. */
  takeProfiles(): ColumnProfile[] {
    return this.#columns.map((column) => column.takeProfile())
  }
}

/** True if values of these storage classes all fit a column of this kind. */
export function fitsStorage(kind: ColumnKind, profile: ColumnProfile): boolean {
  const classes = profile.classes & ~storageClass.null
  switch (kind) {
    case 'int64':
      return (classes & ~storageClass.integer) === 0
    case 'float64':
      return (
        (classes & ~(storageClass.integer | storageClass.real)) === 0 &&
        !((classes & storageClass.integer) !== 0 && profile.hasHugeInteger)
      )
    case 'utf8':
      return (classes & ~storageClass.text) === 0
    case 'binary':
      return (classes & ~storageClass.blob) === 0
  }
}
