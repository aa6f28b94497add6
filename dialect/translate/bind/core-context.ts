import type { FunctionCall, NamedWindow } from '../parse/syntax.js'
import type { CommonTableEntry, Statement } from '../statement.js'
import type { Typed } from '../typed.js'
import type { Scope } from './scope.js'

/** Where an expression stands: the names it sees and what it may contain. */
export interface CoreContext {
  readonly statement: Statement
  readonly scope: Scope
  readonly ctes: readonly CommonTableEntry[]
  readonly windows: readonly NamedWindow[]
  /** Names of result columns are seen where no table has that name. */
  readonly seesAliases: boolean
  readonly found: Found
  /**
   * Sort terms that make the order inside a window complete, as SQLite's scan does; empty if
   * the window's own terms already do.
   */
  readonly windowTail: (call: FunctionCall, window: WindowTerms) => readonly SortTerm[]
  /** Sort terms that an aggregate needs behind its own, to meet the rows as SQLite does. */
  readonly aggregateTail: (terms: readonly SortTerm[]) => readonly SortTerm[]
  /** Where rows stand for groups: what a column is that is no key of them. Null elsewhere. */
  readonly grouped: Grouped | null
}

export interface Grouped {
  /** A key is more than a column. */
  readonly hasExpressions: boolean
  readonly isKey: (sql: string) => boolean
  /** @throws Keep for a column that differs within a group */
  readonly pick: (column: Typed) => Typed
}

export interface Found {
  aggregates: boolean
  windows: boolean
}

export interface SortTerm {
  readonly value: Typed
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

export interface WindowTerms {
  readonly partitionBy: readonly Typed[]
  readonly orderBy: readonly SortTerm[]
}

export function sortSql(term: SortTerm): string {
  return `${term.value.sql} ${term.descending ? 'DESC' : 'ASC'} NULLS ${term.nulls === 'first' ? 'FIRST' : 'LAST'}`
}

/** SQLite holds NULL for smaller than everything. */
export function ascending(value: Typed): SortTerm {
  return { value, descending: false, nulls: 'first' }
}
