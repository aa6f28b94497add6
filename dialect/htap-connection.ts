import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import type { SqliteSession } from '../src/oltp/sqlite-session.js'
import type { StatementResult } from '../src/oltp/writer.js'
import type { Analytics, QueryOptions } from './analytics.js'
import { withoutHints } from './hints.js'
import { noHistory, type PastQuery, pastQueryOf } from './temporal/past-query.js'

/**
 * One acquired connection: a session on SQLite, and the analytics for what runs outside of a
 * transaction. Not frozen, because Kysely puts its logging over the methods.
 */
export class HtapConnection implements DatabaseConnection {
  /** @internal */
  readonly session: SqliteSession
  readonly #analytics: Analytics | null
  readonly #replacements: ReadonlyMap<CompiledQuery, string>

  constructor(
    session: SqliteSession,
    analytics: Analytics | null,
    replacements: ReadonlyMap<CompiledQuery, string>,
  ) {
    this.session = session
    this.#analytics = analytics
    this.#replacements = replacements
  }

  async executeQuery<R>(
    compiledQuery: CompiledQuery,
    options?: QueryOptions,
  ): Promise<QueryResult<R>> {
    const past = pastQueryOf(compiledQuery.sql)
    if (past !== null) {
      const rows = await this.#askPast(compiledQuery, past, options)
      return { rows: rows as R[] }
    }
    if (this.#analytics !== null && this.session.mayReadElsewhere) {
      const pending = this.#analytics.execute(compiledQuery, options)
      const answer = pending === null ? null : await pending
      if (answer !== null) {
        return answer as QueryResult<R>
      }
    }
    const sql = this.#replacements.get(compiledQuery) ?? withoutHints(compiledQuery.sql)
    const startMs = this.#analytics?.wantsAnswers ? performance.now() : 0
    const pending = this.session.execute(sql, compiledQuery.parameters, options)
    const result = pending instanceof Promise ? await pending : pending
    this.#noteAnswered(compiledQuery, startMs)
    return toQueryResult<R>(result)
  }

  async *streamQuery<R>(
    compiledQuery: CompiledQuery,
    chunkSize = defaultChunkSize,
    options?: QueryOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const past = pastQueryOf(compiledQuery.sql)
    if (past !== null) {
      const rows = await this.#askPast(compiledQuery, past, options)
      for (let start = 0; start < rows.length; start += chunkSize) {
        yield { rows: rows.slice(start, start + chunkSize) as R[] }
      }
      return
    }
    let delivered = 0
    if (this.#analytics !== null && this.session.mayReadElsewhere) {
      const answer = await this.#analytics.stream(compiledQuery, chunkSize, options)
      if (answer !== null) {
        try {
          for await (const chunk of answer) {
            delivered += chunk.rows.length
            yield chunk as QueryResult<R>
          }
          return
        } catch (error) {
          if (!isEngineFailure(error)) {
            throw error
          }
          // Both engines give the same rows in the same order, so SQLite can go on from here.
        }
      }
    }
    const startMs = performance.now()
    const chunks = this.session.stream(
      withoutHints(compiledQuery.sql),
      compiledQuery.parameters,
      chunkSize,
      options,
    )
    let isAnswered = false
    for await (const rows of chunks) {
      if (!isAnswered) {
        isAnswered = true
        this.#noteAnswered(compiledQuery, startMs)
      }
      const fresh = delivered >= rows.length ? [] : rows.slice(delivered)
      delivered = Math.max(0, delivered - rows.length)
      if (fresh.length > 0) {
        yield { rows: fresh as R[] }
      }
    }
    if (!isAnswered) {
      this.#noteAnswered(compiledQuery, startMs)
    }
  }

  /** The past is answered inside of a transaction, too, by what is committed: never by rows of now. */
  #askPast(
    query: CompiledQuery,
    past: PastQuery,
    options: QueryOptions | undefined,
  ): Promise<Record<string, unknown>[]> {
    return (this.#analytics?.past ?? noHistory()).answerPast(query, past, options)
  }

  /**
   * Kysely has already rejected the caller. What waits or runs on a thread listens to the
   * signal itself; a statement that runs on this thread is over before anybody could cancel it.
   */
  async cancelQuery(): Promise<void> {}

  /** As `cancelQuery`: there is no session on a server that could outlive the query. */
  async killSession(): Promise<void> {}

  /** SQLite has answered, or given the first rows of a stream. */
  #noteAnswered(query: CompiledQuery, startMs: number): void {
    if (this.#analytics?.wantsAnswers) {
      this.#analytics.noteAnswered(query, performance.now() - startMs)
    }
  }
}

/** DuckDB gave up half-way; not the caller, and not because the instance is being destroyed. */
function isEngineFailure(error: unknown): boolean {
  return (
    error instanceof HtapError &&
    (error.code === 'olap-failed' || error.code === 'olap-result-unexpected')
  )
}

/** Kysely's own default for `stream()`. */
const defaultChunkSize = 100

function toQueryResult<R>(result: StatementResult): QueryResult<R> {
  const { rows, run } = result
  if (run === undefined) {
    return { rows: rows as R[] }
  }
  return {
    numAffectedRows: BigInt(run.changes),
    insertId: BigInt(run.lastInsertRowid),
    rows: [],
  }
}
