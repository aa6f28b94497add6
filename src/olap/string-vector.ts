import { isAscii } from 'node:buffer'
import type { DuckDb, Vector } from './duckdb-bindings.js'
import { alignedCopy, isNull, readValidity } from './vector-memory.js'

/** Bytes of the word that a VARCHAR or BLOB vector holds for each row. */
export const stringWordBytes = 16

/**
 * Texts up to here lie inside their word: a length of 32 bits, then the bytes. Longer ones:
 * the length, the first four bytes, a pointer of 64 bits
 * (https://duckdb.org/docs/stable/clients/c/vector, `duckdb_string_t`).
 */
export const stringInlineBytesMax = 12

/** Makes a value of the bytes from `start` to `end`; `ascii` when they are known to be. */
export type StringReader<T> = (bytes: Buffer, start: number, end: number, ascii: boolean) => T

/**
 * Reads a VARCHAR or BLOB vector. Long values of a chunk nearly always lie back to back in
 * one heap, so neighbours are fetched with one call: every byte of such a run belongs to a
 * live value, hence the read stays in bounds.
 */
export function readStrings<T>(
  duckdb: DuckDb,
  vector: Vector,
  rowCount: number,
  read: StringReader<T>,
): (T | null)[] {
  const buffer = alignedCopy(duckdb, vector, rowCount * stringWordBytes)
  const bytes = Buffer.from(buffer)
  const words = new Uint32Array(buffer, 0, rowCount * 4)
  const validity = readValidity(duckdb, vector, rowCount)
  const out = new Array<T | null>(rowCount)
  const long: number[] = []
  for (let row = 0; row < rowCount; row++) {
    const length = words[row * 4] ?? 0
    if (validity !== null && isNull(validity, row)) {
      out[row] = null
    } else if (length <= stringInlineBytesMax) {
      const start = row * stringWordBytes + 4
      out[row] = read(bytes, start, start + length, isInlineAscii(words, row))
    } else {
      long.push(row)
    }
  }
  for (let first = 0; first < long.length; ) {
    const run = findRun(words, long, first)
    const at = (long[first] ?? 0) * stringWordBytes + 8
    const data = Buffer.from(duckdb.get_data_from_pointer(buffer, at, run.byteCount))
    const ascii = isAscii(data)
    let start = 0
    for (; first < run.end; first++) {
      const row = long[first] ?? 0
      const end = start + (words[row * 4] ?? 0)
      out[row] = read(data, start, end, ascii)
      start = end
    }
  }
  return out
}

/** Bytes behind the end of an inline value are zero, so all twelve can be tested at once. */
function isInlineAscii(words: Uint32Array, row: number): boolean {
  const at = row * 4
  const bits = (words[at + 1] ?? 0) | (words[at + 2] ?? 0) | (words[at + 3] ?? 0)
  return (bits & 0x80808080) === 0
}

interface Run {
  /** Position in the list of long values behind the last one. */
  readonly end: number
  readonly byteCount: number
}

function findRun(words: Uint32Array, long: readonly number[], first: number): Run {
  let end = first
  let byteCount = 0
  let expected = addressOf(words, long[first] ?? 0)
  while (end < long.length && addressOf(words, long[end] ?? 0) === expected) {
    const length = words[(long[end] ?? 0) * 4] ?? 0
    expected += length
    byteCount += length
    end++
  }
  return { end, byteCount }
}

/** Addresses have 48 bits, so a double holds them. */
function addressOf(words: Uint32Array, row: number): number {
  return (words[row * 4 + 3] ?? 0) * 4294967296 + (words[row * 4 + 2] ?? 0)
}
