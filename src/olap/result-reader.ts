import { assert } from '../core/assert.js'
import { HtapError } from '../core/htap-error.js'
import type { DataChunk, DuckDb, Result, Vector } from './duckdb-bindings.js'
import { olapFailure } from './olap-failure.js'
import { columnDecoder, type IntegerMode } from './vector-decoder.js'

/** Types of the result's columns, by position. */
export function resultTypes(duckdb: DuckDb, result: Result): number[] {
  const count = duckdb.column_count(result)
  return Array.from({ length: count }, (_, column) => duckdb.column_type(result, column))
}

/** The vectors of one chunk. */
export interface ResultChunk {
  readonly rowCount: number
  readonly vectors: readonly Vector[]
}

/**
 * The chunks of a computed result, of at most 2048 rows. Each is fetched in a thread of
 * libuv's pool, so the event loop turns between two of them.
 */
export async function* resultChunks(duckdb: DuckDb, result: Result): AsyncGenerator<ResultChunk> {
  const columnCount = duckdb.column_count(result)
  // The count spares the fetch of an empty chunk at the end, and proves that nothing is lost.
  for (let left = duckdb.row_count(result); left > 0; ) {
    const chunk = await fetchChunk(duckdb, result)
    const rowCount = chunk === null ? 0 : duckdb.data_chunk_get_size(chunk)
    assert(chunk !== null && rowCount > 0 && rowCount <= left, 'a result has the rows it counts')
    left -= rowCount
    const vectors = Array.from({ length: columnCount }, (_, column) =>
      duckdb.data_chunk_get_vector(chunk, column),
    )
    yield { rowCount, vectors }
  }
}

/**
 * The chunks as columns of JavaScript values.
 *
 * @param columnCount what the caller expects
 * @throws HtapError `olap-result-unexpected` when the count differs or a type is not SQLite's
 */
export async function* decodedChunks(
  duckdb: DuckDb,
  result: Result,
  columnCount: number,
  integers: IntegerMode,
): AsyncGenerator<{ readonly rowCount: number; readonly columns: unknown[][] }> {
  const types = resultTypes(duckdb, result)
  expectColumns(types.length, columnCount)
  const decoders = types.map((type) => columnDecoder(duckdb, type, integers))
  for await (const { rowCount, vectors } of resultChunks(duckdb, result)) {
    const columns = vectors.map((vector, index) => decoders[index]?.(vector, rowCount) ?? [])
    yield { rowCount, columns }
  }
}

/** @throws HtapError `olap-result-unexpected` */
export function expectColumns(found: number, expected: number): void {
  if (found !== expected) {
    throw new HtapError(
      'olap-result-unexpected',
      `the result has ${found} columns where ${expected} were expected`,
    )
  }
}

async function fetchChunk(duckdb: DuckDb, result: Result): Promise<DataChunk | null> {
  try {
    return await duckdb.fetch_chunk(result)
  } catch (error) {
    throw olapFailure(error)
  }
}
