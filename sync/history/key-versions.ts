import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, newestTable, versionTable } from './history-table.js'

/**
 * The numbers of all versions of some keys, rising: from the newest one of each back to the first that is
 * kept, or the first after `after`.
 *
 * @param keys each in the order of `HistoryTable.keys`
 */
export function keyVersions(
  history: SqliteDatabase,
  table: HistoryTable,
  keys: readonly (readonly unknown[])[],
  after = 0,
): readonly number[] {
  const versions = versionTable(table)
  const isKey = table.keys.map((key) => `n.${key} = ?`).join(' and ')
  const ofKey = history
    .prepare(
      `with recursive v(id, previous) as (
         select v.id, v.previous from ${newestTable(table)} n join ${versions} v on v.id = n.id
         where ${isKey}
         union all
         select p.id, p.previous from v join ${versions} p on p.id = v.previous
         where p.id > cast(? as integer))
       select id from v where id > cast(? as integer)`,
    )
    .pluck()
    .safeIntegers(false)
  const numbers = keys.flatMap((key) => ofKey.all(...key, after, after) as number[])
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** The versions `v` are those of a list of numbers, bound as JSON. */
export const isListed = 'v.id in (select value from json_each(?))'
