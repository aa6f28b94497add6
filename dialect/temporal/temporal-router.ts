import type { CompiledQuery } from 'kysely'
import { readConnectionTraits } from '../../src/oltp/connection-traits.js'
import { type CommitNote, noteActor, readLogHead } from '../../sync/capture/commit-notes.js'
import type { HistoryTable } from '../../sync/history/history-table.js'
import { type RestoreProps, restore } from '../../sync/history/restore.js'
import type { RestoredCounts } from '../../sync/history/restored-rows.js'
import type { TemporalHistory } from '../../sync/history/temporal-history.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { AnalyticsHost, PastAnalytics, QueryOptions } from '../analytics.js'
import { QueryRouter } from '../router/query-router.js'
import type { RouteExplanation } from '../router/route-explanation.js'
import type { PastQuery } from './past-query.js'
import { PastReader } from './past-reader.js'

/** The router of an instance in temporal mode: it also keeps the history, and answers from it. */
export class TemporalRouter extends QueryRouter implements PastAnalytics {
  readonly history: TemporalHistory
  readonly #host: AnalyticsHost
  readonly #reader: PastReader

  /** @param release gives engine and history back, which other instances may share */
  constructor(
    host: AnalyticsHost,
    engine: SyncEngine,
    history: TemporalHistory,
    release: () => Promise<void>,
  ) {
    super(host, engine, release)
    this.#host = host
    this.history = history
    const onFailure = (error: unknown) => {
      this.log.lastError = error
      engine.noteFailure(error)
    }
    this.#reader = new PastReader({ host, engine, history, onFailure })
  }

  get past(): PastAnalytics {
    return this
  }

  async answerPast(
    query: CompiledQuery,
    past: PastQuery,
    options?: QueryOptions,
  ): Promise<Record<string, unknown>[]> {
    const startMs = performance.now()
    const { rows, engine, reason, duckdbSql } = await this.#reader.answer(query, past, options)
    const durationMs = performance.now() - startMs
    if (engine === 'sqlite') {
      this.log.keep(query, reason)
      this.log.answeredBySqlite(query, durationMs)
    } else {
      this.log.answeredByDuckDb({
        reason,
        sql: query.sql,
        duckdbSql,
        durationMs,
        waitMs: 0,
        lagChanges: 0,
        estimate: null,
      })
    }
    return rows
  }

  explainPast(query: CompiledQuery, past: PastQuery): Promise<RouteExplanation> {
    return this.#reader.explain(query, past)
  }

  /** What the history is read by, and how integers come back. */
  get reading(): { readonly history: TemporalHistory; readonly safeIntegers: boolean } {
    const { integers } = readConnectionTraits(this.#host.writer.database)
    return { history: this.history, safeIntegers: integers === 'bigint' }
  }

  /**
   * Remembers where the transaction begins that is open on the writer's connection.
   *
   * @returns notes who made it; to be called last of all before the commit
   */
  beginNote(note: Omit<CommitNote, 'after'>): () => void {
    const { database } = this.#host.writer
    const after = readLogHead(database)
    return () => {
      noteActor(database, { ...note, after })
    }
  }

  /** Restores rows in the transaction that is open on the writer's connection. */
  restore(table: HistoryTable, props: RestoreProps): RestoredCounts {
    return restore(this.#host.writer.database, this.history.file, table, props)
  }

  override noteCommit(): void {
    this.history.noteCommit()
    super.noteCommit()
  }

  override noteSchemaChange(): void {
    this.history.noteSchemaChange(this.#host.writer.database)
    super.noteSchemaChange()
  }

  override async close(): Promise<void> {
    await this.#reader.close()
    await super.close()
  }
}
