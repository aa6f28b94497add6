import type { ColumnBatch, ColumnKind, ColumnVector } from '../../dist/src/core/column-batch.js'

export type Cell = bigint | number | string | Uint8Array | null

/** A batch of rows, with typed arrays exactly as long as the contract asks for. */
export function batchOf(
  kinds: readonly ColumnKind[],
  rows: readonly (readonly Cell[])[],
): ColumnBatch {
  return {
    rowCount: rows.length,
    columns: kinds.map((kind, column) =>
      vectorOf(
        kind,
        rows.map((row) => row[column] ?? null),
      ),
    ),
  }
}

function vectorOf(kind: ColumnKind, values: readonly Cell[]): ColumnVector {
  const nullCount = values.filter((value) => value === null).length
  const validity = nullCount === 0 ? null : new Uint8Array(Math.ceil(values.length / 64) * 8)
  values.forEach((value, row) => {
    if (validity !== null && value !== null) {
      validity[row >> 3]! |= 1 << (row & 7)
    }
  })
  if (kind === 'int64') {
    return {
      kind,
      nullCount,
      validity,
      values: BigInt64Array.from(values, (v) => (v ?? 0n) as bigint),
    }
  }
  if (kind === 'float64') {
    return {
      kind,
      nullCount,
      validity,
      values: Float64Array.from(values, (v) => (v ?? 0) as number),
    }
  }
  const parts = values.map((value) =>
    typeof value === 'string' ? Buffer.from(value) : ((value ?? Buffer.alloc(0)) as Uint8Array),
  )
  const offsets = new Int32Array(values.length + 1)
  parts.forEach((part, row) => {
    offsets[row + 1] = offsets[row]! + part.length
  })
  return { kind, nullCount, validity, offsets, data: new Uint8Array(Buffer.concat(parts)) }
}

/** A small generator with a printable seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
