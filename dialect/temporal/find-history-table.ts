import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryTable } from '../../sync/history/history-table.js'
import { newestTables } from '../../sync/history/past-schema.js'

/** The table of that name that the history has. @throws HtapError `history-missing` */
export function findHistoryTable(history: SqliteDatabase, name: string): HistoryTable {
  const table = newestTables(history).find((it) => foldIdentifier(it.name) === foldIdentifier(name))
  if (table === undefined) {
    throw new HtapError('history-missing', `table ${name} has no history`, {
      hint: 'a history begins when `sync: { mode: "temporal" }` is switched on for a table',
      facts: { table: name },
    })
  }
  return table
}
