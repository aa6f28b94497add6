import { limits } from '../../src/core/limits.js'
import { steadyClockMs } from '../../src/core/outside-world.js'
import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'

/**
 * Sizes of tables that are not copied yet: a count that stops at a bound, so that it costs
 * a millisecond at most, believed for a while.
 */
export class TableSizes {
  readonly #sizes = new Map<string, { readonly rows: number; readonly countedAtMs: number }>()

  rows(database: SqliteDatabase, table: string): number {
    const key = foldIdentifier(table)
    const known = this.#sizes.get(key)
    const nowMs = steadyClockMs()
    if (known !== undefined && nowMs - known.countedAtMs < limits.countedRowsAgeMs) {
      return known.rows
    }
    const rows = Number(
      database
        .prepare(
          `select count(*) from (select 1 from main.${quoteIdentifier(table)} limit ${limits.countedRowsMax})`,
        )
        .pluck()
        .get(),
    )
    if (this.#sizes.size >= limits.countedTablesMax) {
      this.#sizes.clear()
    }
    this.#sizes.set(key, { rows, countedAtMs: nowMs })
    return rows
  }
}
