import type { Table as ArrowTable } from 'apache-arrow'
import type { OlapReadOptions, OlapStatement, OlapStore } from '../../src/olap/olap-store.js'
import type { Candidate } from './candidate.js'
import { bindConstants } from './parameters.js'

type Rows = Record<string, unknown>[]

/** A form in which a result is taken from the column store. */
export interface Reading<T> {
  run(store: OlapStore, statement: OlapStatement, options: OlapReadOptions): Promise<T>
  /** Gives back what `run` returned, when it cannot be used. */
  discard?(value: T): Promise<void>
  /** The whole result as rows; absent where it is not there as such. */
  rows?(value: T): readonly Rows[number][]
}

export const allRows: Reading<Rows> = Object.freeze({
  run: (store, statement, options) => store.rows(statement, options),
  rows: (value) => value,
} satisfies Reading<Rows>)

export const arrowTable: Reading<ArrowTable> = Object.freeze({
  run: (store, statement, options) => store.arrow(statement, options),
} satisfies Reading<ArrowTable>)

/** Chunks of at most `chunkSize` rows, of which the first is there. */
export function chunks(chunkSize: number): Reading<{
  readonly first: IteratorResult<Rows>
  readonly rest: AsyncIterableIterator<Rows>
}> {
  return {
    run: async (store, statement, options) => {
      const rest = store.stream(statement, { ...options, chunkSize })
      // The first chunk shows whether DuckDB can answer at all; until then SQLite still can.
      return { first: await rest.next(), rest }
    },
    discard: async ({ rest }) => {
      await rest.return?.()
    },
  }
}

/** @throws what the store throws; when a constant of the query cannot be computed any more */
export function readCandidate<T>(
  store: OlapStore,
  found: Candidate,
  reading: Reading<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const parameters = bindConstants(found.translated.parameters, found.constants)
  return reading.run(
    store,
    { sql: found.translated.sql, parameters },
    { columnNames: found.columnNames, integers: found.integers, signal },
  )
}
