import { assert } from '../core/assert.js'
import type { VariableColumnVector } from '../core/column-batch.js'
import { limits } from '../core/limits.js'
import type { DuckDb, Vector } from './duckdb-bindings.js'
import { stringInlineBytesMax, stringWordBytes } from './string-vector.js'

/**
 * Builds the words of a VARCHAR or BLOB vector. All bytes of a column go into the vector's
 * heap as one single value; where the engine put it is read back from that value's word, and
 * each long value then points to its place in there.
 */
export class StringWords {
  readonly #duckdb: DuckDb
  readonly #buffer = new ArrayBuffer(limits.batchRowsMax * stringWordBytes)
  readonly #words = new Uint32Array(this.#buffer)
  readonly #bytes = new Uint8Array(this.#buffer)

  constructor(duckdb: DuckDb) {
    this.#duckdb = duckdb
  }

  /** The words of all rows, good until the next call; the bytes are in the vector's heap. */
  build(vector: Vector, column: VariableColumnVector, rowCount: number): ArrayBuffer {
    const { offsets, data } = column
    const words = this.#words
    const bytes = this.#bytes
    const long: number[] = []
    let start = offsets[0] ?? 0
    for (let row = 0; row < rowCount; row++) {
      const end = offsets[row + 1] ?? 0
      const at = row * 4
      words[at] = end - start
      words[at + 1] = 0
      words[at + 2] = 0
      words[at + 3] = 0
      const isLong = end - start > stringInlineBytesMax
      // A long value's word repeats its first four bytes.
      const inlineEnd = isLong ? start + 4 : end
      for (let from = start, to = row * stringWordBytes + 4; from < inlineEnd; from++, to++) {
        bytes[to] = data[from] ?? 0
      }
      if (isLong) {
        long.push(row)
      }
      start = end
    }
    if (long.length > 0) {
      this.#point(vector, column, rowCount, long)
    }
    return this.#buffer
  }

  #point(
    vector: Vector,
    column: VariableColumnVector,
    rowCount: number,
    long: readonly number[],
  ): void {
    const { offsets, data } = column
    const words = this.#words
    const origin = offsets[0] ?? 0
    const base = this.#intoHeap(vector, data.subarray(origin, offsets[rowCount]))
    for (const row of long) {
      const address = base + ((offsets[row] ?? 0) - origin)
      const at = row * 4
      words[at + 2] = address % 4294967296
      words[at + 3] = Math.floor(address / 4294967296)
    }
  }

  /** @returns the address of the bytes; 48 bits, so a double holds it */
  #intoHeap(vector: Vector, bytes: Uint8Array): number {
    this.#duckdb.vector_assign_string_element_len(vector, 0, bytes)
    const word = Buffer.from(this.#duckdb.vector_get_data(vector, stringWordBytes))
    // The engine refuses doubtful text without a word and leaves the old value in place.
    const same =
      word.readUInt32LE(0) === bytes.length && word.subarray(4, 8).equals(bytes.subarray(0, 4))
    assert(same, 'the engine took over the bytes of a column')
    return word.readUInt32LE(12) * 4294967296 + word.readUInt32LE(8)
  }
}
