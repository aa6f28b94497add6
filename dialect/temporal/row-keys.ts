import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, versionTable } from '../../sync/history/history-table.js'
import { newestTables, readForms } from '../../sync/history/past-schema.js'

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

/**
 * The keys of all rows that ever held these values; undefined for no condition.
 *
 * @throws HtapError `config-invalid` for a column that the table does not have
 */
export function findKeys(
  history: SqliteDatabase,
  table: HistoryTable,
  where: Readonly<Record<string, unknown>> | undefined,
): readonly (readonly unknown[])[] | undefined {
  if (where === undefined) {
    return undefined
  }
  const [form] = readForms(history, table)
  const columns = Object.keys(where).map((name) => {
    const index = form?.shape.columns.findIndex(
      (column) => foldIdentifier(column.name) === foldIdentifier(name),
    )
    const column = form?.columns[index ?? -1]
    if (column === undefined) {
      throw new HtapError('config-invalid', `table ${table.name} has no column ${name}`, {
        hint: 'name columns that tell the row, as those of its primary key',
        facts: { table: table.name, column: name },
      })
    }
    return column
  })
  const isEqual = columns.map((column) => `${column} is ?`).join(' and ') || 'true'
  return history
    .prepare(
      `select distinct ${table.keys.join(', ')} from ${versionTable(table)} where ${isEqual}`,
    )
    .raw()
    .safeIntegers()
    .all(...Object.values(where)) as unknown[][]
}
