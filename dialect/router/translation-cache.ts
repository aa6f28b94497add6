import { limits } from '../../src/core/limits.js'
import type { MirrorColumn, MirrorTable } from '../../src/core/mirror-table.js'
import { holds } from '../translate/constants.js'
import type { ParameterType, QueryPlanRow, Translation } from '../translate/translation.js'
import { BoundedMap } from './bounded-map.js'
import type { ConstantValues } from './constant-values.js'

/** A translation and everything it was derived from. */
export interface TranslationEntry {
  readonly translation: Translation
  /** The columns of each table with their profiles: another array is another profile. */
  readonly columns: ReadonlyMap<string, readonly MirrorColumn[]>
  /** SQLite's plan, where the row order was read off it. */
  readonly planText: string | null
  /** Until when DuckDB is not asked, by the steady clock: it refused the statement, or failed over it. */
  refusedUntilMs: number
}

/** Translations of one text for values of other sizes or classes. */
const variantsMax = limits.translationVariantsMax

/**
 * Remembers translations per SQL text, parameter types and schema, for as long as the facts they
 * stand on hold: the columns' profiles, what was assumed of constants, and SQLite's plan where the
 * row order comes from it.
 */
export class TranslationCache {
  readonly #entries = new BoundedMap<string, TranslationEntry[]>(limits.translationCacheEntriesMax)

  find(
    key: string,
    tables: readonly MirrorTable[],
    constants: ConstantValues,
    planText: () => string,
  ): TranslationEntry | null {
    const entries = this.#entries.get(key)
    return entries?.find((entry) => isCurrent(entry, tables, constants, planText)) ?? null
  }

  add(key: string, entry: TranslationEntry): void {
    const others = this.#entries.get(key) ?? []
    this.#entries.set(key, [entry, ...others.slice(0, variantsMax - 1)])
  }
}

function isCurrent(
  entry: TranslationEntry,
  tables: readonly MirrorTable[],
  constants: ConstantValues,
  planText: () => string,
): boolean {
  const { assumptions } = entry.translation
  if (
    entry.columns.size !== tables.length ||
    tables.some((table) => entry.columns.get(table.sqlName) !== table.columns)
  ) {
    return false
  }
  if (assumptions.length > 0) {
    constants.compute(assumptions.map((assumption) => assumption.source))
    const isOther = assumptions.some((assumption) => {
      const value = constants.of(assumption.source)
      return value === undefined || !holds(assumption, value)
    })
    if (isOther) {
      return false
    }
  }
  return entry.planText === null || entry.planText === planText()
}

export function translationKey(
  sql: string,
  types: readonly ParameterType[],
  integers: 'number' | 'bigint',
  schemaVersion: number,
): string {
  return `${schemaVersion} ${integers} ${types.join(' ')}\n${sql}`
}

/** Whether a translation is worth no more than the plan that it was made by. */
export function isFromPlan(translation: Translation): boolean {
  // A refusal because of the plan must be looked at again when the plan changes.
  return translation.kind === 'kept'
    ? /^order/.test(translation.reason)
    : translation.order === 'plan'
}

export function planText(plan: readonly QueryPlanRow[]): string {
  return plan.map((row) => `${row.parent} ${row.detail}`).join('\n')
}

export function columnsOf(
  tables: readonly MirrorTable[],
): ReadonlyMap<string, readonly MirrorColumn[]> {
  return new Map(tables.map((table) => [table.sqlName, table.columns]))
}
