import { limits } from '../../src/core/limits.js'
import type { MirrorColumn, MirrorTable } from '../../src/core/mirror-table.js'
import type { ParameterType, QueryPlanRow, Translation } from '../translate/translation.js'
import { BoundedMap } from './bounded-map.js'

/** A translation and everything it was derived from. */
export interface TranslationEntry {
  readonly translation: Translation
  /** The columns of each table with their profiles: another array is another profile. */
  readonly columns: ReadonlyMap<string, readonly MirrorColumn[]>
  /** SQLite's plan, where the row order was read off it. */
  readonly planText: string | null
  /** Why DuckDB refused to run it, once it has. */
  refusal: string | null
}

/**
 * Remembers translations per SQL text and parameter types, for as long as the facts they stand on
 * hold: the columns' profiles, and SQLite's plan where the row order comes from it.
 */
export class TranslationCache {
  readonly #entries = new BoundedMap<string, TranslationEntry>(limits.translationCacheEntriesMax)

  find(
    key: string,
    tables: readonly MirrorTable[],
    planText: () => string,
  ): TranslationEntry | null {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      return null
    }
    const isCurrent =
      entry.columns.size === tables.length &&
      tables.every((table) => entry.columns.get(table.sqlName) === table.columns) &&
      (entry.planText === null || entry.planText === planText())
    return isCurrent ? entry : null
  }

  add(key: string, entry: TranslationEntry): void {
    this.#entries.set(key, entry)
  }
}

export function translationKey(
  sql: string,
  types: readonly ParameterType[],
  integers: 'number' | 'bigint',
): string {
  return `${integers} ${types.join(' ')}\n${sql}`
}

export function planText(plan: readonly QueryPlanRow[]): string {
  return plan.map((row) => `${row.parent} ${row.detail}`).join('\n')
}

export function columnsOf(
  tables: readonly MirrorTable[],
): ReadonlyMap<string, readonly MirrorColumn[]> {
  return new Map(tables.map((table) => [table.sqlName, table.columns]))
}
