import { expect } from 'vitest'
import {
  type HistoryTable,
  readHistoryTables,
  sameKey,
  versionTable,
} from '../../dist/sync/history/history-table.js'
import type { HistoryHarness } from './history-harness.js'

/**
 * Proves of all versions of a table that they follow each other: a row begins where none was, and changes
 * or ends where one was; positions never fall. What came before the first version of a key may have been
 * given up, where the history was shortened.
 */
export function expectFollowing(h: HistoryHarness, table: HistoryTable): void {
  const { history } = h.keeper
  const versions = versionTable(table)
  const begins = readHistoryTables(history).find(({ id }) => id === table.id)?.begins ?? 0
  const wrong = history
    .prepare(
      `select id from (
         select *, lag(op) over w as op_before, lag(position) over (order by id) as position_before
         from ${versions} window w as (partition by ${table.keys.join(', ')} order by id))
       where (op = 'I') is not (coalesce(op_before, 'D') = 'D')
           and not (op_before is null and position <= ?)
         or position < position_before`,
    )
    .all(begins)
  expect(wrong).toEqual([])
  const alone = history
    .prepare(
      `select id from ${versions} v where op = 'D' and not exists (
         select 1 from ${versions} b where ${sameKey(table, 'b', 'v')} and b.id < v.id)
         and position > ?`,
    )
    .all(begins)
  expect(alone).toEqual([])
}
