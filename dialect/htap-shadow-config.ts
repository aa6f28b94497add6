import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'

/**
 * Shadow mode: after DuckDB has answered a read, SQLite answers it once more at the same position,
 * in the background, and the answers are compared. A text whose answers differ is kept on
 * SQLite from then on.
 *
 * ### Examples
 *
 * ```ts
 * new HtapDialect({
 *   database: 'shop.db',
 *   shadow: {
 *     sampleRate: 0.01,
 *     onMismatch: ({ reproduction }) => console.error(reproduction),
 *   },
 * })
 * ```
 */
export interface HtapShadowConfig {
  /** The share of DuckDB's answers that is compared: 0 for none, 1 for all. */
  readonly sampleRate: number
  /** Is told of every difference, in the background. What it throws changes nothing. */
  readonly onMismatch?: (mismatch: ShadowMismatch) => void
  /** Answers with more rows are not compared. @default 10000 */
  readonly maxRows?: number
}

/**
 * Two answers to one query at one position that are not the same. `parameters`, `difference` and
 * `reproduction` hold data of the application.
 */
export interface ShadowMismatch {
  /** The query as SQLite runs it. */
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** What ran in DuckDB. */
  readonly duckdbSql: string
  /** The position of the change log at which both answered. */
  readonly position: number
  readonly difference: ShadowDifference
  /**
   * A text that says it all: the definitions of the tables, the query, its parameters, DuckDB's
   * SQL, versions, and the first rows that differ. No other data of the tables.
   */
  readonly reproduction: string
}

/** The first thing that differs; rows count from 0. */
export type ShadowDifference =
  | {
      readonly kind: 'value'
      readonly row: number
      readonly column: string
      readonly sqliteValue: unknown
      readonly duckdbValue: unknown
    }
  | {
      /** Names or their order. */
      readonly kind: 'columns'
      readonly row: number
      readonly sqliteColumns: readonly string[]
      readonly duckdbColumns: readonly string[]
    }
  | {
      readonly kind: 'row-count'
      /** At most one more than `maxRows`: then reading stopped. */
      readonly sqliteRows: number
      readonly duckdbRows: number
    }
  | {
      /** SQLite raises where DuckDB answers. */
      readonly kind: 'error'
      readonly sqliteError: string
    }

/** @throws HtapError `config-invalid` */
export function checkShadowConfig(config: HtapShadowConfig | undefined): void {
  if (config === undefined) {
    return
  }
  const { sampleRate, maxRows = limits.shadowRowsMax, onMismatch } = config ?? {}
  if (typeof sampleRate !== 'number' || !(sampleRate >= 0 && sampleRate <= 1)) {
    throw new HtapError('config-invalid', '`shadow.sampleRate` must be a number from 0 to 1')
  }
  if (!Number.isInteger(maxRows) || maxRows < 1) {
    throw new HtapError('config-invalid', '`shadow.maxRows` must be a whole number >= 1')
  }
  if (onMismatch !== undefined && typeof onMismatch !== 'function') {
    throw new HtapError('config-invalid', '`shadow.onMismatch` must be a function')
  }
}
