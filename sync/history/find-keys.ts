import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, versionTable } from './history-table.js'
import { readLayouts } from './table-layout.js'

/**
 * The keys under which the history has a version with these values, now or ever: what `eraseKeys`,
 * `restore` and `readChanges` want of a row that is known by other columns than its rowid. Looks at every
 * version, unless the columns are unique. A rowid that was given out again is one key for all its rows.
 *
 * @param values by the names of columns, any that they ever had; compared exactly, null with null
 * @throws HtapError `config-invalid` for a column that the table never had
 *
 * ### Examples
 *
 * ```ts
 * const keys = findKeys(history, table, { mail: 'ann@example.org' })
 * ```
 */
export function findKeys(
  history: SqliteDatabase,
  table: HistoryTable,
  values: Readonly<Record<string, unknown>>,
): readonly (readonly unknown[])[] {
  const terms = Object.keys(values).map((name) => {
    const columns = columnsNamed(history, table, name)
    return `(${columns.map((column) => `${column} is ?`).join(' or ')})`
  })
  const parameters = Object.entries(values).flatMap(([name, value]) =>
    columnsNamed(history, table, name).map(() => value),
  )
  const keys = table.keys.join(', ')
  return history
    .prepare(
      `select distinct ${keys} from ${versionTable(table)}
       where ${["op <> 'D'", ...terms].join(' and ')} order by ${keys}`,
    )
    .raw()
    .safeIntegers()
    .all(...parameters) as unknown[][]
}

/** Columns that went by a name at some time; more than one where a name was used again. */
function columnsNamed(
  history: SqliteDatabase,
  table: HistoryTable,
  name: string,
): readonly string[] {
  const found = readLayouts(history, table).flatMap(({ shape, columns }) =>
    columns.filter(
      (_, at) => foldIdentifier(shape.columns[at]?.name ?? '') === foldIdentifier(name),
    ),
  )
  if (found.length === 0) {
    throw new HtapError('config-invalid', `${table.name} never had a column ${name}`, {
      facts: { table: table.name, column: name },
    })
  }
  return [...new Set(found)]
}
