import type { MirrorTable } from '../../src/core/mirror-table.js'

/** The JavaScript type of a bound value, as far as a translation depends on it. */
export type ParameterType = 'null' | 'safe-integer' | 'number' | 'bigint' | 'text' | 'blob'

export interface TranslationContext {
  /** The mirror of an ordinary table of the main schema; a reason if there is none to be had. */
  findTable(name: string): MirrorTable | { readonly refused: string }
  readonly parameterTypes: readonly ParameterType[]
  /** The result columns' names as SQLite gives them. */
  readonly columnNames: readonly string[]
  /** `safeIntegers` of the application's connection: integers must come back as bigint. */
  readonly integers: 'number' | 'bigint'
  /** EXPLAIN QUERY PLAN of the statement, read at most once. */
  queryPlan(): readonly QueryPlanRow[]
  /** EXPLAIN of the statement, read at most once. */
  program(): readonly OpcodeRow[]
}

export interface QueryPlanRow {
  readonly id: number
  readonly parent: number
  readonly detail: string
}

export interface OpcodeRow {
  readonly addr: number
  readonly opcode: string
  readonly p1: number
  readonly p2: number
  readonly p3: number
  readonly p4: string | number | null
  readonly p5: number
}

export type Translation = Translated | Kept

export interface Translated {
  readonly kind: 'translated'
  /** DuckDB's SQL; its parameters are `$1`, `$2` ... in the order of `parameters`. */
  readonly sql: string
  readonly parameters: readonly ParameterBinding[]
  /** Names, as SQLite's catalogue spells them, of the tables it reads. */
  readonly tables: readonly string[]
  /**
   * How the row order is known: the query fixes it, or it was read off SQLite's plan and must be
   * derived anew when the schema or statistics change.
   */
  readonly order: 'total' | 'plan'
}

/** The query stays on SQLite. */
export interface Kept {
  readonly kind: 'kept'
  /** Short and stable, to be counted: 'function printf', 'order: plan not understood'. */
  readonly reason: string
}

export interface ParameterBinding {
  /** Position in the compiled query's parameters, from 0. */
  readonly index: number
  readonly as: 'bigint' | 'double' | 'varchar' | 'blob' | 'null'
}
