import { expect, it } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { limits } from '../../dist/src/core/limits.js'
import { TestWorld } from '../support/test-world.js'
import { until } from '../support/until.js'
import { PastApp } from './past-app.js'

const rows = 2 * limits.pruneBacklogRowsMax

it('empties the log at once where mirror and history have read it, round after round', async () => {
  const world = new TestWorld()
  let transactions = 0
  world.onReach = (point) => {
    transactions += point === 'prune.committed' ? 1 : 0
  }
  const app = await PastApp.open((database) => {
    database.exec(`create table t(id integer primary key, a);
      with recursive n(v) as (select 1 union all select v + 1 from n where v < ${rows})
      insert into t select v, v from n`)
  })
  const logged = app.database.prepare('select count(*) from _htap_log').pluck()
  const entries = app.database.prepare('select count(*) from _htap_history_1').pluck()
  await htap(app.db).syncNow()
  for (let round = 1; round <= 3; round++) {
    transactions = 0
    await app.db.updateTable('t').set({ a: round }).execute()
    await app.settle()
    await htap(app.db).syncNow()
    await until(() => Number(logged.get()) < limits.pruneRowsMax && entries.get() === 0)
    // Deleted by the thousand they would be twenty.
    expect(transactions).toBeLessThan(5)
  }
})
