/**
 * The one exchange format between SQLite readers and column stores: Arrow's memory layout
 * (https://arrow.apache.org/docs/format/Columnar.html), as plain typed arrays so that a
 * batch can be transferred between threads and made into an Arrow record batch without a copy.
 */
export interface ColumnBatch {
  readonly rowCount: number
  readonly columns: readonly ColumnVector[]
}

export type ColumnKind = 'int64' | 'float64' | 'utf8' | 'binary'

export type ColumnVector = FixedColumnVector | VariableColumnVector

export interface FixedColumnVector {
  readonly kind: 'int64' | 'float64'
  readonly nullCount: number
  /**
   * One bit per row, least significant first, 1 = not null; null when nothing is null.
   * Its length is a multiple of 8 bytes.
   */
  readonly validity: Uint8Array | null
  /** At least `rowCount` entries; the entry of a null row is 0. */
  readonly values: BigInt64Array | Float64Array
}

export interface VariableColumnVector {
  readonly kind: 'utf8' | 'binary'
  readonly nullCount: number
  readonly validity: Uint8Array | null
  /** `rowCount + 1` entries or more: row i is data[offsets[i] .. offsets[i + 1]). */
  readonly offsets: Int32Array
  readonly data: Uint8Array
}
