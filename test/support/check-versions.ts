import { expect } from 'vitest'
import {
  type HistoryTable,
  newestTable,
  readHistoryTables,
  versionTable,
} from '../../dist/sync/history/history-table.js'
import type { HistoryHarness } from './history-harness.js'

/**
 * Proves of all versions of a table that they follow each other: a row begins where none was, and changes
 * or ends where one was; positions never fall; each knows the one before, and each key its newest. What came
 * before the first version of a key may have been given up, where the history was shortened.
 */
export function expectFollowing(h: HistoryHarness, table: HistoryTable): void {
  const { history } = h.keeper
  const versions = versionTable(table)
  const keys = table.keys.join(', ')
  const begins = readHistoryTables(history).find(({ id }) => id === table.id)?.begins ?? 0
  const wrong = history
    .prepare(
      `select id from (
         select *, lag(op) over w as op_before, lag(id) over w as id_before,
           lag(position) over (order by id) as position_before
         from ${versions} window w as (partition by ${keys} order by id)) v
       where (op = 'I') is not (coalesce(op_before, 'D') = 'D')
           and not (op_before is null and position <= ?)
         or position < position_before
         or (select p.id from ${versions} p where p.id = v.previous) is not id_before`,
    )
    .all(begins)
  expect(wrong).toEqual([])
  const alone = history
    .prepare(
      `select id from (select *, lag(id) over (partition by ${keys} order by id) as id_before from ${versions})
       where op = 'D' and id_before is null and position > ?`,
    )
    .all(begins)
  expect(alone).toEqual([])
  const rows = (sql: string) => history.prepare(`${sql} order by ${keys}`).raw().all()
  expect(rows(`select ${keys}, id, step from ${newestTable(table)}`)).toEqual(
    rows(`select ${keys}, max(id), position * 2 + (op <> 'D') from ${versions} group by ${keys}`),
  )
}
