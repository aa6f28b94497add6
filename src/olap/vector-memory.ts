import type { DuckDb, Vector } from './duckdb-bindings.js'

/** The validity bits of a vector, or null when nothing is null. */
export function readValidity(duckdb: DuckDb, vector: Vector, rowCount: number): Uint8Array | null {
  // The binding gives null where the engine has no bitmap, which its types do not say.
  const bits: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rowCount / 64) * 8)
  return bits
}

/** The vector's memory as a copy that starts at an 8-byte boundary. */
export function alignedCopy(duckdb: DuckDb, vector: Vector, byteCount: number): ArrayBuffer {
  const bytes = duckdb.vector_get_data(vector, byteCount)
  const { buffer } = bytes
  return bytes.byteOffset === 0 && buffer instanceof ArrayBuffer
    ? buffer
    : new Uint8Array(bytes).buffer
}

/** Whether the bit of a row says null. */
export function isNull(validity: Uint8Array, row: number): boolean {
  return (((validity[row >> 3] ?? 0) >> (row & 7)) & 1) === 0
}
