import type { CompiledQuery } from 'kysely'
import { limits } from '../../src/core/limits.js'
import type { MirrorTable } from '../../src/core/mirror-table.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import { readSchemaVersion, readTableShape, type TableLookup } from '../../src/oltp/catalogue.js'
import { type ConnectionTraits, readConnectionTraits } from '../../src/oltp/connection-traits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { AnalyticsHost } from '../analytics.js'
import type { QueryHint } from '../hints.js'
import { parseSelect } from '../translate/parse/parse-select.js'
import { translate } from '../translate/translate.js'
import type { QueryPlanRow, Translated, Translation } from '../translate/translation.js'
import { BoundedMap } from './bounded-map.js'
import { type CostEstimate, estimateCost } from './cost-estimate.js'
import { hypotheticalTable } from './hypothetical-table.js'
import { parameterTypes } from './parameters.js'
import type { QueryShape } from './query-shape.js'
import {
  readProgram,
  readQueryPlan,
  readStatementFacts,
  type StatementFacts,
} from './statement-facts.js'
import { TableSizes } from './table-sizes.js'
import {
  columnsOf,
  planText,
  TranslationCache,
  type TranslationEntry,
  translationKey,
} from './translation-cache.js'

/** A query that DuckDB can answer as SQLite does, once the copy is fresh. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly reason: string
  readonly translated: Translated
  readonly entry: TranslationEntry
  readonly tables: readonly MirrorTable[]
  readonly columnNames: readonly string[]
  readonly integers: 'number' | 'bigint'
  readonly estimate: CostEstimate
  /** The cost decided; with another mind about waiting SQLite would be as good. */
  readonly isChosenByCost: boolean
}

/** A query that stays on SQLite. */
export interface KeptQuery {
  readonly kind: 'kept'
  readonly reason: string
  readonly estimate: CostEstimate | null
  /** False for a statement that no hint could send to DuckDB: a write, or none of SQLite's. */
  readonly isRead: boolean
}

type AnalyticShape = Extract<QueryShape, { kind: 'analytic' }>

/** Walks a query through every stage that must agree before DuckDB may answer it. */
export class CandidateFinder {
  readonly #host: AnalyticsHost
  readonly #engine: SyncEngine
  readonly #facts = new BoundedMap<string, StatementFacts>(limits.shapeCacheEntriesMax)
  readonly #shapes = new Map<string, TableLookup>()
  readonly #translations = new TranslationCache()
  readonly #sizes = new TableSizes()
  #schemaVersion = -1

  constructor(host: AnalyticsHost, engine: SyncEngine) {
    this.#host = host
    this.#engine = engine
  }

  async find(
    query: CompiledQuery,
    shape: QueryShape,
    hint: QueryHint | undefined,
    purpose: 'execute' | 'explain',
  ): Promise<Candidate | KeptQuery> {
    const analytic = understand(query, shape, hint)
    if (analytic.kind === 'kept') {
      return analytic
    }
    const types = parameterTypes(query.parameters)
    if (types === null || types.length !== analytic.parsed.parameterCount) {
      return kept('parameters that SQLite refuses', false)
    }
    const { database } = this.#host.writer
    this.#noticeSchema(database)
    const facts = this.#readFacts(database, query.sql)
    if (facts === null || !facts.isRead) {
      return kept('SQLite does not read it as a query', false)
    }
    const traits = readConnectionTraits(database)
    const obstacle = findObstacle(analytic, traits)
    if (obstacle !== null) {
      return kept(obstacle)
    }
    const pending = new PendingQuery(query, analytic, facts, traits, types, database)
    return this.#place(pending, hint, purpose)
  }

  /** True while the copies of a candidate's tables are still what it was translated for. */
  isCurrent(candidate: Candidate): boolean {
    return candidate.tables.every((table) => {
      const live = this.#engine.tables.findLive(table.shape.name)
      return live !== undefined && live.columns === table.columns && live.sqlName === table.sqlName
    })
  }

  async #place(
    pending: PendingQuery,
    hint: QueryHint | undefined,
    purpose: 'execute' | 'explain',
  ): Promise<Candidate | KeptQuery> {
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
    return this.#choose(pending, isWanted)
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
    if (entry.refusal !== null) {
      return kept('DuckDB refused', true, estimate)
    }
    if (!isWanted && estimate.sqliteMs < estimate.duckdbMs) {
      return kept('cheaper on SQLite', true, estimate)
    }
    return {
      kind: 'candidate',
      reason: isWanted ? 'proven equal' : 'cheaper on DuckDB',
      translated: entry.translation,
      entry,
      tables,
      columnNames: pending.facts.columnNames,
      integers: pending.traits.integers,
      estimate,
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
        return kept(`table ${name}: ${tracked.reason ?? 'refused'}`)
      }
      if (!this.#engine.tables.mayCopy(name)) {
        return kept(`table ${name}: not in the list of tables to copy`)
      }
    }
    const translation = translate(pending.query.sql, pending.context(this.#findHypothetical))
    if (translation.kind === 'kept') {
      return kept(translation.reason)
    }
    const estimate = this.#estimate(pending, (name) => this.#rowsBeforeCopy(pending.database, name))
    if (!isWanted && estimate.sqliteMs < estimate.duckdbMs) {
      return kept('cheaper on SQLite', true, estimate)
    }
    if (purpose === 'execute') {
      for (const name of missing) {
        this.#engine.requestCopy(name)
      }
    }
    // The request has started another attempt, where one is due.
    return this.#engine.state === 'failed'
      ? kept('the mirror is not available', true, estimate)
      : null
  }

  #translate(pending: PendingQuery, tables: readonly MirrorTable[]): TranslationEntry {
    const key = translationKey(pending.query.sql, pending.types, pending.traits.integers)
    const known = this.#translations.find(key, tables, () => planText(pending.plan()))
    if (known !== null) {
      return known
    }
    const byName = new Map(tables.map((table) => [foldIdentifier(table.shape.name), table]))
    const translation: Translation = translate(
      pending.query.sql,
      pending.context((name) => byName.get(foldIdentifier(name)) ?? this.#refusal(pending, name)),
    )
    const entry: TranslationEntry = {
      translation,
      columns: columnsOf(tables),
      planText: isFromPlan(translation) ? planText(pending.plan()) : null,
      refusal: null,
    }
    this.#translations.add(key, entry)
    return entry
  }

  #missingTables(pending: PendingQuery): string[] {
    return pending.tableNames.filter((name) => {
      const shape = this.#shape(pending.database, name)
      return !('refused' in shape) && this.#engine.tables.findLive(name) === undefined
    })
  }

  #liveTables(pending: PendingQuery): MirrorTable[] {
    return pending.tableNames.flatMap((name) => this.#engine.tables.findLive(name) ?? [])
  }

  readonly #findHypothetical = (name: string): MirrorTable | { readonly refused: string } => {
    const live = this.#engine.tables.findLive(name)
    if (live !== undefined) {
      return live
    }
    const shape = this.#shape(this.#host.writer.database, name)
    return 'refused' in shape ? shape : hypotheticalTable(shape)
  }

  #refusal(pending: PendingQuery, name: string): { readonly refused: string } {
    const shape = this.#shape(pending.database, name)
    return 'refused' in shape ? shape : { refused: 'has no copy' }
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

  #noticeSchema(database: SqliteDatabase): void {
    const version = readSchemaVersion(database)
    if (version !== this.#schemaVersion) {
      this.#schemaVersion = version
      this.#facts.clear()
      this.#shapes.clear()
    }
  }

  #readFacts(database: SqliteDatabase, sql: string): StatementFacts | null {
    const known = this.#facts.get(sql)
    if (known !== undefined) {
      return known
    }
    try {
      const facts = readStatementFacts(database, sql)
      this.#facts.set(sql, facts)
      return facts
    } catch {
      // SQLite's own error reaches the user when SQLite gets the query.
      return null
    }
  }

  #shape(database: SqliteDatabase, name: string): TableLookup {
    const key = foldIdentifier(name)
    const known = this.#shapes.get(key)
    if (known !== undefined) {
      return known
    }
    const shape = readTableShape(database, name)
    if (this.#shapes.size >= limits.countedTablesMax) {
      this.#shapes.clear()
    }
    this.#shapes.set(key, shape)
    return shape
  }
}

/** One query on its way, with what was found out about it so far. */
class PendingQuery {
  readonly query: CompiledQuery
  readonly tableNames: readonly string[]
  readonly facts: StatementFacts
  readonly traits: ConnectionTraits
  readonly types: NonNullable<ReturnType<typeof parameterTypes>>
  readonly database: SqliteDatabase
  readonly #shape: AnalyticShape
  #plan: readonly QueryPlanRow[] | null = null

  constructor(
    query: CompiledQuery,
    shape: AnalyticShape,
    facts: StatementFacts,
    traits: ConnectionTraits,
    types: NonNullable<ReturnType<typeof parameterTypes>>,
    database: SqliteDatabase,
  ) {
    this.query = query
    this.#shape = shape
    this.tableNames = shape.parsed.summary.tables
    this.facts = facts
    this.traits = traits
    this.types = types
    this.database = database
  }

  get isPlainCount(): boolean {
    const { functions } = this.#shape.parsed.summary
    return (
      functions.size === 1 &&
      functions.has('count') &&
      this.tableNames.length === 1 &&
      /^\s*select\s+count\(\s*\*\s*\)[^()]*$/i.test(this.query.sql) &&
      !/\bwhere\b|\bgroup\b/i.test(this.query.sql)
    )
  }

  plan(): readonly QueryPlanRow[] {
    this.#plan ??= readQueryPlan(this.database, this.query.sql, this.query.parameters)
    return this.#plan
  }

  context(findTable: (name: string) => MirrorTable | { readonly refused: string }) {
    return {
      findTable,
      parameterTypes: this.types,
      columnNames: this.facts.columnNames,
      integers: this.traits.integers,
      queryPlan: () => this.plan(),
      program: () => readProgram(this.database, this.query.sql, this.query.parameters),
    }
  }
}

/** A hint for DuckDB may also send plain reads there. */
function understand(
  query: CompiledQuery,
  shape: QueryShape,
  hint: QueryHint | undefined,
): AnalyticShape | KeptQuery {
  if (shape.kind === 'analytic') {
    return shape
  }
  if (hint?.engine !== 'duckdb') {
    return kept(shape.kind === 'plain' ? 'no analytic query' : `not understood: ${shape.reason}`)
  }
  const parsed = parseSelect(query.sql)
  return parsed.kind === 'select'
    ? { kind: 'analytic', parsed }
    : kept(`not understood: ${parsed.reason}`, /^\s*(?:select|with|values)\b/i.test(query.sql))
}

/** What the application did to its connection that makes the query belong to it. */
function findObstacle(shape: AnalyticShape, traits: ConnectionTraits): string | null {
  const { summary } = shape.parsed
  if (traits.unusual !== null) {
    return `the connection has ${traits.unusual}`
  }
  if (summary.foreignSchema) {
    return 'names another schema'
  }
  const temporary = summary.tables.find((table) => traits.tempNames.has(table))
  if (temporary !== undefined) {
    return `${temporary} is temporary`
  }
  for (const name of summary.functions) {
    if (traits.functionNames.has(name)) {
      return `function ${name} is registered by the application`
    }
  }
  if (traits.likeIsCaseSensitive && summary.usesLike) {
    return 'LIKE is case-sensitive on this connection'
  }
  return null
}

function kept(reason: string, isRead = true, estimate: CostEstimate | null = null): KeptQuery {
  return { kind: 'kept', reason, estimate, isRead }
}

function isFromPlan(translation: Translation): boolean {
  // A refusal because of the plan must be looked at again when the plan changes.
  return translation.kind === 'kept'
    ? /^order/.test(translation.reason)
    : translation.order === 'plan'
}
