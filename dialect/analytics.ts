import type { CompiledQuery, QueryResult } from 'kysely'
import type { Writer, WriterObserver } from '../src/oltp/writer.js'
import type { HtapDialectConfig } from './htap-dialect-config.js'
import type { RouteExplanation } from './router/route-explanation.js'
import type { PastQuery } from './temporal/past-query.js'

/** The door through which a second engine answers reads. */
export interface Analytics extends WriterObserver {
  /**
   * Answers a read outside of any transaction; null, at once or later, leaves it to SQLite.
   * Never called for a connection with a transaction open.
   */
  execute(query: CompiledQuery, options?: QueryOptions): Promise<QueryResult<unknown> | null> | null
  /** As `execute`, in chunks of at most `chunkSize` rows. */
  stream(
    query: CompiledQuery,
    chunkSize: number,
    options?: QueryOptions,
  ): MaybePromise<AsyncIterableIterator<QueryResult<unknown>> | null>
  /** Somebody listens to `noteAnswered`. */
  readonly wantsAnswers: boolean
  /** SQLite has answered what was left to it. */
  noteAnswered(query: CompiledQuery, durationMs: number): void
  /** Answers queries of the past; absent without temporal mode. */
  readonly past?: PastAnalytics
  /** Ends what runs and frees everything; SQLite is still open. Called once. */
  close(): Promise<void>
}

/** The door through which queries of the past are answered. */
export interface PastAnalytics {
  answerPast(
    query: CompiledQuery,
    past: PastQuery,
    options?: QueryOptions,
  ): Promise<Record<string, unknown>[]>
  explainPast(query: CompiledQuery, past: PastQuery): Promise<RouteExplanation>
}

/** What the second engine is given when the driver connects. */
export interface AnalyticsHost {
  readonly config: HtapDialectConfig
  /** The writer's connection; every use of it takes a turn. */
  readonly writer: Writer
  /** The absolute path of the database; null for one that has no file. */
  readonly path: string | null
}

export type AnalyticsFactory = (host: AnalyticsHost) => MaybePromise<Analytics | null>

/** The options of Kysely 0.29 and later; typed here because 0.28 does not have them. */
export interface QueryOptions {
  readonly signal?: AbortSignal | undefined
}

type MaybePromise<T> = T | Promise<T>
