import type { MirrorTable } from '../../src/core/mirror-table.js'
import type { Translated } from '../translate/translation.js'
import type { ConstantValues } from './constant-values.js'
import type { CostEstimate } from './cost-estimate.js'
import type { TranslationEntry } from './translation-cache.js'

/** A query that DuckDB can answer as SQLite does, once the copy is fresh. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly reason: string
  readonly translated: Translated
  readonly entry: TranslationEntry
  readonly tables: readonly MirrorTable[]
  readonly constants: ConstantValues
  readonly columnNames: readonly string[]
  readonly integers: 'number' | 'bigint'
  readonly estimate: CostEstimate
  /** SQLite's number of the schema that it was found under. */
  readonly schemaVersion: number
  /** How many schema changes of others the engine had seen by then. */
  readonly schemaChanges: number
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

export function kept(
  reason: string,
  isRead = true,
  estimate: CostEstimate | null = null,
): KeptQuery {
  return { kind: 'kept', reason, estimate, isRead }
}
