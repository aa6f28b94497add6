import type { CompiledQuery } from 'kysely'
import type { ConnectionTraits } from '../../src/oltp/connection-traits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { QueryPlanRow, TranslationContext } from '../translate/translation.js'
import type { AnalyticShape } from './analytic-shape.js'
import { ConstantValues } from './constant-values.js'
import type { parameterTypes } from './parameters.js'
import { readProgram, readQueryPlan, type StatementFacts } from './statement-facts.js'

interface PendingQueryProps {
  readonly query: CompiledQuery
  readonly shape: AnalyticShape
  readonly facts: StatementFacts
  readonly traits: ConnectionTraits
  readonly types: NonNullable<ReturnType<typeof parameterTypes>>
  readonly database: SqliteDatabase
  readonly tableNames: readonly string[]
  readonly schemaVersion: number
}

/** One query on its way, with what was found out about it so far. */
export class PendingQuery {
  readonly query: CompiledQuery
  /** Tables that the query reads, those inside of views included. */
  readonly tableNames: readonly string[]
  readonly constants: ConstantValues
  readonly facts: StatementFacts
  readonly traits: ConnectionTraits
  readonly types: NonNullable<ReturnType<typeof parameterTypes>>
  readonly database: SqliteDatabase
  /** SQLite's number of the schema that the facts belong to. */
  readonly schemaVersion: number
  readonly #shape: AnalyticShape
  #plan: readonly QueryPlanRow[] | null = null

  constructor(props: PendingQueryProps) {
    this.query = props.query
    this.#shape = props.shape
    this.tableNames = props.tableNames
    this.constants = new ConstantValues(props.database, props.query.parameters)
    this.facts = props.facts
    this.traits = props.traits
    this.types = props.types
    this.database = props.database
    this.schemaVersion = props.schemaVersion
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

  context(
    findTable: TranslationContext['findTable'],
    disabledRules: ReadonlySet<string>,
  ): TranslationContext {
    return {
      findTable,
      disabledRules,
      parameterTypes: this.types,
      parameterValues: this.query.parameters,
      evaluate: (sources) => sources.map((source) => this.constants.of(source)),
      columnNames: this.facts.columnNames,
      integers: this.traits.integers,
      queryPlan: () => this.plan(),
      program: () => readProgram(this.database, this.query.sql, this.query.parameters),
    }
  }
}
