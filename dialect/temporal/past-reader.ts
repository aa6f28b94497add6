import type { CompiledQuery } from 'kysely'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import { readConnectionTraits } from '../../src/oltp/connection-traits.js'
import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'
import type { TemporalHistory } from '../../sync/history/temporal-history.js'
import type { VersionCopies } from '../../sync/history/version-copies.js'
import { requireWhole } from '../../sync/history/whole-history.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { AnalyticsHost, QueryOptions } from '../analytics.js'
import { hintOf, type QueryHint, withoutHints } from '../hints.js'
import { bindConstants } from '../router/parameters.js'
import { PendingQuery } from '../router/pending-query.js'
import { QueryIntake } from '../router/query-intake.js'
import { QueryShapes } from '../router/query-shape.js'
import { explainKept, type RouteExplanation } from '../router/route-explanation.js'
import { probeRules } from '../router/rule-probe.js'
import { translate } from '../translate/translate.js'
import type { Translated, Translation, TranslationContext } from '../translate/translation.js'
import { callHistory } from './history-call.js'
import { PastDatabase, type PastDesign } from './past-database.js'
import { PastDatabases } from './past-databases.js'
import { designPast, type PlacedQuery } from './past-design.js'
import { placeQuery } from './past-placement.js'
import type { PastQuery } from './past-query.js'
import { pastMirror } from './past-tables.js'
import { preparePast } from './prepare-past.js'
import { periodColumns } from './temporal-options.js'

interface PastReaderProps {
  readonly host: AnalyticsHost
  readonly engine: SyncEngine
  readonly history: TemporalHistory
  /** The column store failed, and SQLite answers. */
  readonly onFailure: (error: unknown) => void
}

/** The answer to a query of the past, and how it came about. */
export interface PastAnswer {
  readonly rows: Record<string, unknown>[]
  readonly engine: 'sqlite' | 'duckdb'
  readonly reason: string
  readonly duckdbSql: string | null
}

/** A query of the past with all that is needed to answer it. */
interface PastPlan {
  readonly placed: PlacedQuery
  readonly design: PastDesign
  /** What DuckDB is to run; null where it cannot answer, for that reason. */
  readonly translated: Translated | null
  readonly reason: string | null
  readonly pending: PendingQuery | null
  /** Names of the tables that are read; null where the query is not understood. */
  readonly tables: readonly string[] | null
}

/**
 * Answers queries of the past. What they mean is decided by a SQLite database that is made as the source
 * was then; DuckDB answers from its copy of the history what the translator proves, and that database,
 * filled with the rows of then, all the rest. So the answer is what the source would have given.
 */
export class PastReader {
  readonly #props: PastReaderProps
  readonly #schemas = new PastDatabases(limits.pastSchemasMax)
  readonly #states = new PastDatabases(limits.pastDatabasesMax)
  readonly #shapes = new QueryShapes()

  constructor(props: PastReaderProps) {
    this.#props = props
  }

  /**
   * @throws HtapError `history-missing`, `history-incomplete`, `history-failed`, `read-only-violation`,
   * `route-impossible`; SQLite's own errors
   */
  async answer(query: CompiledQuery, past: PastQuery, options?: QueryOptions): Promise<PastAnswer> {
    const hint = hintOf(query.sql)
    const plan = await this.#plan(query, past, hint)
    options?.signal?.throwIfAborted()
    const { translated } = plan
    let reason = plan.reason ?? 'the mirror is not available'
    if (translated !== null) {
      try {
        const rows = await this.#run(plan, options)
        if (rows !== null) {
          return { rows, engine: 'duckdb', reason: 'the past', duckdbSql: translated.sql }
        }
      } catch (error) {
        if (options?.signal?.aborted) {
          throw error
        }
        this.#props.onFailure(error)
        reason = 'DuckDB refused'
      }
    }
    if (hint?.engine === 'duckdb') {
      throw new HtapError('route-impossible', `DuckDB cannot answer this query: ${reason}`, {
        hint: 'leave the engine to the router, or see explain() for the reason',
        facts: { reason, sql: query.sql },
      })
    }
    return { rows: await this.#runOnSqlite(query, plan), engine: 'sqlite', reason, duckdbSql: null }
  }

  async explain(query: CompiledQuery, past: PastQuery): Promise<RouteExplanation> {
    const { translated, reason } = await this.#plan(query, past, hintOf(query.sql))
    return translated === null
      ? explainKept(query.sql, reason ?? 'the mirror is not available', null)
      : {
          engine: 'duckdb',
          reason: 'the past',
          sql: query.sql,
          duckdbSql: translated.sql,
          lagChanges: 0,
          estimate: null,
        }
  }

  async close(): Promise<void> {
    await this.#schemas.close()
    await this.#states.close()
  }

  async #plan(
    query: CompiledQuery,
    past: PastQuery,
    hint: QueryHint | undefined,
  ): Promise<PastPlan> {
    const { host, history } = this.#props
    const sync = host.config.sync === false ? undefined : host.config.sync
    const { placed, design } = await callHistory(async () => {
      const placed = await placeQuery(past, history)
      return { placed, design: designPast(history.file, placed, periodColumns(sync)) }
    })
    const schema = await this.#open(this.#schemas, JSON.stringify(design.objects), design)
    this.#prepare(query, schema, design)
    const kept = (reason: string | null, tables: readonly string[] | null): PastPlan => {
      return { placed, design, translated: null, reason, pending: null, tables }
    }
    if (hint?.engine === 'sqlite' || host.config.routing === 'sqlite') {
      return kept('asked for', null)
    }
    const intake = new QueryIntake({
      database: schema.database,
      facts: schema.facts,
      committedSchema: () => null,
    })
    const pending = intake.take(query, this.#shapes.of(query), { engine: 'duckdb' })
    if (!(pending instanceof PendingQuery)) {
      return kept(pending.reason, null)
    }
    await callHistory(() => requireStates(history.file, design, pending.tableNames))
    const translation = await this.#translate(pending, schema, design)
    return translation?.kind === 'translated'
      ? {
          placed,
          design,
          translated: translation,
          reason: null,
          pending,
          tables: pending.tableNames,
        }
      : kept(translation?.reason ?? null, pending.tableNames)
  }

  /** Null without a column store that serves. */
  async #translate(
    pending: PendingQuery,
    schema: PastDatabase,
    design: PastDesign,
  ): Promise<Translation | null> {
    const { tables } = design
    const copied = await this.#copies(pending, schema, design)
    if (copied === null) {
      return null
    }
    const { copies, disabledRules } = copied
    const findTable: TranslationContext['findTable'] = (name) => {
      const past = tables.get(foldIdentifier(name))
      const shape = past === undefined ? null : schema.shape(past)
      const copy = past === undefined ? undefined : copies.find(past.history)
      return past === undefined || shape === null || copy === undefined
        ? (schema.facts.view(schema.database, name) ?? { refused: 'has no history' })
        : pastMirror(past, shape, copy)
    }
    return translate(pending.query.sql, pending.context(findTable, disabledRules))
  }

  /** Null without a column store, or when it failed: then SQLite answers. */
  async #copies(
    pending: PendingQuery,
    schema: PastDatabase,
    { tables }: PastDesign,
  ): Promise<{
    readonly copies: VersionCopies
    readonly disabledRules: ReadonlySet<string>
  } | null> {
    const { history, engine, onFailure } = this.#props
    const used = pending.tableNames.flatMap((name) => tables.get(name)?.history ?? [])
    try {
      const copies = await history.copiesOf(used)
      const { store } = engine
      return copies === null || store === null
        ? null
        : { copies, disabledRules: await probeRules(store, schema.database) }
    } catch (error) {
      onFailure(error)
      return null
    }
  }

  /** Null without a column store. */
  async #run(
    { pending, translated }: PastPlan,
    options: QueryOptions | undefined,
  ): Promise<Record<string, unknown>[] | null> {
    const { store } = this.#props.engine
    if (store === null || pending === null || translated === null) {
      return null
    }
    const parameters = bindConstants(translated.parameters, pending.constants)
    const { columnNames } = pending.facts
    const { integers } = pending.traits
    return await store.rows(
      { sql: translated.sql, parameters },
      { columnNames, integers, signal: options?.signal },
    )
  }

  async #runOnSqlite(query: CompiledQuery, plan: PastPlan): Promise<Record<string, unknown>[]> {
    const { placed, design, tables } = plan
    const key = JSON.stringify([placed, design.objects])
    const state = await this.#open(this.#states, key, design)
    const statement = this.#prepare(query, state, design)
    const all = tables ?? [...design.tables.keys()]
    await callHistory(() => {
      requireStates(this.#props.history.file, design, all)
      state.fill(
        all.flatMap((name) => design.tables.get(name) ?? []),
        this.#props.history.path,
      )
    })
    return statement.all(query.parameters) as Record<string, unknown>[]
  }

  #prepare(query: CompiledQuery, past: PastDatabase, { unknown }: PastDesign): SqliteStatement {
    return preparePast(past.database, withoutHints(query.sql), {
      unknown,
      refused: this.#props.history.refused,
    })
  }

  #open(databases: PastDatabases, key: string, { objects }: PastDesign): Promise<PastDatabase> {
    const { config, writer } = this.#props.host
    const { integers } = readConnectionTraits(writer.database)
    return databases.get(`${integers} ${key}`, () =>
      PastDatabase.open(objects, integers, config.onCreateConnection),
    )
  }
}

/** @throws HtapError `history-incomplete` for a table whose history begins later */
function requireStates(
  history: SqliteDatabase,
  { tables }: PastDesign,
  names: readonly string[],
): void {
  for (const name of names) {
    const past = tables.get(name)
    if (past?.shows.kind === 'state') {
      requireWhole(history, past.history, past.shows.position)
    }
  }
}
