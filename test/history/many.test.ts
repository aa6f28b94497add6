import { expect, it } from 'vitest'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import { expectFollowing } from '../support/check-versions.js'
import { repetitions } from '../support/deep.js'
import { HistoryHarness } from '../support/history-harness.js'

// Many transactions of ten changes each, moved now and then. HTAP_HISTORY_TRANSACTIONS sets how many.
const transactions = repetitions('HTAP_HISTORY_TRANSACTIONS', 1000)
const transactionsPerMove = 500
const rows = 400

it(`keeps every version of ${transactions} transactions of ten changes`, {
  timeout: 36_000_000,
}, async () => {
  const h = await HistoryHarness.open(
    `create table t(id integer primary key, n int, note text);
     insert into t with recursive s(i) as (select 1 union all select i + 1 from s where i < ${rows})
       select i, 0, 'row ' || i from s`,
  )
  const update = h.database.prepare('update t set n = ? where id = ?')
  const remove = h.database.prepare('delete from t where id = ?')
  const put = h.database.prepare("insert or replace into t values (?, ?, 'again')")
  let changes = 0
  for (let n = 1; n <= transactions; n++) {
    h.database.exec('begin')
    for (let change = 0; change < 10; change++) {
      const id = ((n * 7919 + change * 104729) % rows) + 1
      const statement = (n + change) % 13
      const run = () =>
        statement === 0 ? remove.run(id) : statement === 1 ? put.run(id, n) : update.run(n, id)
      changes += run().changes
    }
    h.database.exec('commit')
    h.keeper.noteCommit()
    if (n % transactionsPerMove === 0) {
      await h.keeper.move()
    }
  }
  await h.keeper.move()
  h.expectPresent('t', 'id', 'id, n, note')
  const { history } = h.keeper
  expectFollowing(h, readHistoryTables(history)[0]!)
  const count = (sql: string) => history.prepare(sql).pluck().get() as number
  const moved = count("select count(*) from history_transaction where kind = 'commit'")
  expect(moved).toBe(transactions)
  // What REPLACE puts over a row is one version, and so is what it puts where none was.
  expect(
    count(
      "select count(*) from version_1 v join history_transaction using (position) where kind = 'commit'",
    ),
  ).toBe(changes)
})
