import type { QueryResult } from 'kysely'

/** Rows of a stream whose first chunk was read already, as Kysely takes them. */
export async function* toResults(
  first: IteratorResult<Record<string, unknown>[]>,
  rest: AsyncIterableIterator<Record<string, unknown>[]>,
): AsyncIterableIterator<QueryResult<unknown>> {
  try {
    if (!first.done) {
      yield { rows: first.value }
      for await (const rows of rest) {
        yield { rows }
      }
    }
  } finally {
    await rest.return?.()
  }
}
