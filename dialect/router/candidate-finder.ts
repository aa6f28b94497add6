import type { CompiledQuery } from 'kysely'
import { limits } from '../../src/core/limits.js'
import type { MirrorTable } from '../../src/core/mirror-table.js'
import { steadyClockMs } from '../../src/core/outside-world.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import { readSchemaVersion } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { AnalyticsHost } from '../analytics.js'
import type { QueryHint } from '../hints.js'
import { translate } from '../translate/translate.js'
import type { Translation, TranslationContext, ViewDefinition } from '../translate/translation.js'
import { type Candidate, type KeptQuery, kept } from './candidate.js'
import { CheapTexts } from './cheap-texts.js'
import { type CostEstimate, estimateCost } from './cost-estimate.js'
import { hypotheticalTable } from './hypothetical-table.js'
import { PendingQuery } from './pending-query.js'
import { QueryIntake } from './query-intake.js'
import type { QueryShape } from './query-shape.js'
import { probeRules } from './rule-probe.js'
import { SchemaFacts } from './schema-facts.js'
import { TableSizes } from './table-sizes.js'
import {
  columnsOf,
  isFromPlan,
  planText,
  TranslationCache,
  type TranslationEntry,
  translationKey,
} from './translation-cache.js'

/** Walks a query through every stage that must agree before DuckDB may answer it. */
export class CandidateFinder {
  readonly #host: AnalyticsHost
  readonly #engine: SyncEngine
  readonly #facts = new SchemaFacts()
  readonly #intake: QueryIntake
  readonly #translations = new TranslationCache()
  readonly #sizes = new TableSizes()
  #disabledRules: ReadonlySet<string> = new Set()
  #isProbed = false
  readonly #cheap = new CheapTexts()

  constructor(host: AnalyticsHost, engine: SyncEngine) {
    this.#host = host
    this.#engine = engine
    this.#intake = new QueryIntake({
      database: host.writer.database,
      facts: this.#facts,
      committedSchema: () => engine.schema.committedVersion(),
    })
  }

  /** Rules about which the engines disagreed when the mirror was opened; empty before that. */
  get disabledRules(): ReadonlySet<string> {
    return this.#disabledRules
  }

  /** Cost has just decided for SQLite, which is always right; it may be asked again later. */
  isKnownCheap(sql: string): boolean {
    return this.#cheap.has(sql)
  }

  async find(
    query: CompiledQuery,
    shape: QueryShape,
    hint: QueryHint | undefined,
    purpose: 'execute' | 'explain',
  ): Promise<Candidate | KeptQuery> {
    for (let attempt = 1; attempt <= limits.routeAttemptsMax; attempt++) {
      const pending = this.#intake.take(query, shape, hint)
      if (!(pending instanceof PendingQuery)) {
        return pending
      }
      try {
        const found = await this.#place(pending, hint, purpose)
        if (found !== 'moved') {
          return found
        }
      } catch (error) {
        if (readSchemaVersion(pending.database) === pending.schemaVersion) {
          throw error
        }
      }
    }
    return kept('the schema keeps changing')
  }

  /** True while schema and copies of a candidate's tables are still what it was translated for. */
  isCurrent(candidate: Candidate): boolean {
    return (
      candidate.schemaChanges === this.#engine.schema.changes &&
      candidate.tables.every(({ shape, columns, sqlName }) => {
        const live = this.#engine.tables.findLive(shape.name)
        return live?.columns === columns && live.sqlName === sqlName
      })
    )
  }

  /** `moved` when the schema changed after SQLite was asked about the query. */
  async #place(
    pending: PendingQuery,
    hint: QueryHint | undefined,
    purpose: 'execute' | 'explain',
  ): Promise<Candidate | KeptQuery | 'moved'> {
    const isWanted = hint?.engine === 'duckdb' || this.#host.config.routing === 'duckdb'
    if (this.#engine.state === 'ready') {
      await this.#engine.checkSchema()
    }
    const missing = this.#missingTables(pending)
    if (missing.length > 0) {
      const reason = this.#prepareCopies(pending, missing, isWanted, purpose)
      if (reason !== null) {
        return reason
      }
      if (!isWanted || purpose === 'explain') {
        return kept(`no copy yet of ${missing.join(', ')}`)
      }
      await this.#engine.waitForCopies(missing, limits.firstCopyWaitMs)
      if (this.#missingTables(pending).length > 0) {
        return kept(`no copy yet of ${missing.join(', ')}`)
      }
    }
    // A statement without tables asks for no copy, which would have opened the mirror.
    if (isWanted && this.#engine.store === null && purpose === 'execute') {
      await this.#engine.open()
    }
    const { store } = this.#engine
    if (store === null) {
      return kept('the mirror is not available')
    }
    if (!this.#isProbed && purpose === 'execute') {
      this.#disabledRules = await probeRules(store, pending.database)
      this.#isProbed = true
    }
    // Names and columns of the one must be those of the other.
    return pending.schemaVersion === this.#engine.schema.version
      ? this.#choose(pending, isWanted)
      : 'moved'
  }

  #choose(pending: PendingQuery, isWanted: boolean): Candidate | KeptQuery {
    const tables = this.#liveTables(pending)
    const entry = this.#translate(pending, tables)
    if (entry.translation.kind === 'kept') {
      return kept(entry.translation.reason)
    }
    const estimate = this.#estimate(pending, (name) => {
      return this.#engine.tables.findLive(name)?.rowCount ?? 0
    })
    if (steadyClockMs() < entry.refusedUntilMs) {
      return kept('DuckDB refused', true, estimate)
    }
    if (!isWanted && estimate.sqliteMs < estimate.duckdbMs) {
      return this.#keepCheap(pending, estimate)
    }
    return {
      kind: 'candidate',
      reason: isWanted ? 'proven equal' : 'cheaper on DuckDB',
      translated: entry.translation,
      entry,
      tables,
      constants: pending.constants,
      columnNames: pending.facts.columnNames,
      integers: pending.traits.integers,
      estimate,
      schemaVersion: pending.schemaVersion,
      schemaChanges: this.#engine.schema.changes,
      isChosenByCost: !isWanted,
    }
  }

  /** Asks for the copies that would let DuckDB answer; a reason if nothing would. */
  #prepareCopies(
    pending: PendingQuery,
    missing: readonly string[],
    isWanted: boolean,
    purpose: 'execute' | 'explain',
  ): KeptQuery | null {
    for (const name of missing) {
      const tracked = this.#engine.tables.find(name)
      if (tracked?.state === 'refused') {
        return kept(`table ${name}: ${tracked.reason}`)
      }
      if (!this.#engine.tables.mayCopy(name)) {
        return kept(`table ${name}: not in the list of tables to copy`)
      }
    }
    const translation = translate(
      pending.query.sql,
      pending.context(this.#findHypothetical, this.#disabledRules),
    )
    if (translation.kind === 'kept') {
      return kept(translation.reason)
    }
    const estimate = this.#estimate(pending, (name) => this.#rowsBeforeCopy(pending.database, name))
    if (!isWanted && estimate.sqliteMs < estimate.duckdbMs) {
      return this.#keepCheap(pending, estimate)
    }
    if (purpose === 'execute') {
      for (const name of missing) {
        this.#engine.requestCopy(name)
      }
    }
    // The request has started another attempt, where one is due.
    switch (this.#engine.state) {
      case 'standby':
        return kept('another process or thread keeps the copy', true, estimate)
      case 'failed':
        return kept('the mirror is not available', true, estimate)
      default:
        return null
    }
  }

  #translate(pending: PendingQuery, tables: readonly MirrorTable[]): TranslationEntry {
    const { query, types, traits, constants } = pending
    const key = translationKey(query.sql, types, traits.integers, pending.schemaVersion)
    const known = this.#translations.find(key, tables, constants, () => planText(pending.plan()))
    if (known !== null) {
      return known
    }
    const byName = new Map(tables.map((table) => [foldIdentifier(table.shape.name), table]))
    const translation: Translation = translate(
      query.sql,
      pending.context(
        (name) => byName.get(foldIdentifier(name)) ?? this.#instead(pending, name),
        this.#disabledRules,
      ),
    )
    const entry: TranslationEntry = {
      translation,
      columns: columnsOf(tables),
      planText: isFromPlan(translation) ? planText(pending.plan()) : null,
      refusedUntilMs: 0,
    }
    this.#translations.add(key, entry)
    return entry
  }

  #keepCheap(pending: PendingQuery, estimate: CostEstimate): KeptQuery {
    this.#cheap.add(pending.query.sql)
    return kept('cheaper on SQLite', true, estimate)
  }

  #missingTables(pending: PendingQuery): string[] {
    return pending.tableNames.filter((name) => {
      const shape = this.#facts.table(pending.database, name)
      return !('refused' in shape) && this.#engine.tables.findLive(name) === undefined
    })
  }

  #liveTables(pending: PendingQuery): MirrorTable[] {
    return pending.tableNames.flatMap((name) => this.#engine.tables.findLive(name) ?? [])
  }

  readonly #findHypothetical: TranslationContext['findTable'] = (name) => {
    const live = this.#engine.tables.findLive(name)
    if (live !== undefined) {
      return live
    }
    const { database } = this.#host.writer
    const shape = this.#facts.table(database, name)
    return 'refused' in shape
      ? (this.#facts.view(database, name) ?? shape)
      : hypotheticalTable(shape)
  }

  /** What stands where no table with a copy does. */
  #instead(pending: PendingQuery, name: string): ViewDefinition | { readonly refused: string } {
    const shape = this.#facts.table(pending.database, name)
    return 'refused' in shape
      ? (this.#facts.view(pending.database, name) ?? shape)
      : { refused: 'has no copy' }
  }

  #estimate(pending: PendingQuery, rowsOfTable: (name: string) => number): CostEstimate {
    const rowsTotal = pending.tableNames.reduce((sum, name) => sum + rowsOfTable(name), 0)
    return estimateCost({
      plan: pending.plan(),
      // A plan names a table by its alias; which one that is matters little for an estimate.
      rowsOf: (name) => {
        const isTable = pending.tableNames.includes(foldIdentifier(name))
        return isTable ? rowsOfTable(name) : rowsTotal
      },
      rowsTotal,
      isPlainCount: pending.isPlainCount,
    })
  }

  #rowsBeforeCopy(database: SqliteDatabase, name: string): number {
    const live = this.#engine.tables.findLive(name)
    return live === undefined ? this.#sizes.rows(database, name) : live.rowCount
  }
}
