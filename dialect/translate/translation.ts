import type { MirrorTable } from '../../src/core/mirror-table.js'

/** The JavaScript type of a bound value, as far as a translation depends on it. */
export type ParameterType =
  | 'null'
  | 'safe-integer'
  | 'number'
  | 'bigint'
  | 'text'
  /** It contains NUL. */
  | 'doubtful-text'
  | 'blob'

/** A value of SQLite that is the same for all rows; a bigint is an integer, a number a real. */
export type ConstantValue = null | number | bigint | string | Uint8Array

/** Where such a value comes from. */
export type ConstantSource =
  | { readonly kind: 'parameter'; readonly index: number }
  /** Computed by SQLite for every execution, from the parameters at these positions. */
  | { readonly kind: 'expression'; readonly sql: string; readonly parameters: readonly number[] }

/** What a translation takes for granted of a constant; another value needs another translation. */
export type Assumption =
  | { readonly source: ConstantSource; readonly kind: 'class'; readonly class: string }
  | {
      readonly source: ConstantSource
      readonly kind: 'bound'
      readonly bound: number
      readonly isSignedZero: boolean
    }
  | { readonly source: ConstantSource; readonly kind: 'value'; readonly value: ConstantValue }

/** A view of the main schema, which stands for its SELECT. */
export interface ViewDefinition {
  readonly view: string
  /** The text of its SELECT. */
  readonly select: string
  /** The names of its columns. */
  readonly columns: readonly string[]
}

export interface TranslationContext {
  /** The mirror of an ordinary table of the main schema, or a view; a reason if there is neither. */
  findTable(name: string): MirrorTable | ViewDefinition | { readonly refused: string }
  readonly parameterTypes: readonly ParameterType[]
  readonly parameterValues: readonly unknown[]
  /** What SQLite computes for expressions without a column; undefined where it raises. */
  evaluate(sources: readonly ConstantSource[]): readonly (ConstantValue | undefined)[]
  /** Names of rules that must not be used, because the engines disagreed about them. */
  readonly disabledRules: ReadonlySet<string>
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
  /** What must hold of the parameters, besides their types. */
  readonly assumptions: readonly Assumption[]
  /** Names of the rules that made it. */
  readonly rules: readonly string[]
}

/** The query stays on SQLite. */
export interface Kept {
  readonly kind: 'kept'
  /** Short and stable, to be counted: 'function printf', 'order: plan not understood'. */
  readonly reason: string
  readonly assumptions: readonly Assumption[]
}

export interface ParameterBinding {
  readonly source: ConstantSource
  readonly as: 'bigint' | 'double' | 'varchar' | 'blob'
}
