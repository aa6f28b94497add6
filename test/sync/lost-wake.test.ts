import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { SyncHarness } from '../support/sync-harness.js'

// Whoever commits wakes the loop; whoever waits trusts that the loop then looks. A long prune of the
// log runs inside the loop, so a commit may well come in its middle.

it('should apply a commit that came while the log was pruned', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec('create table t(id integer primary key, a int)')
  h.database.exec(`insert into t with recursive s(v) as (select 1 union all select v + 1 from s
    where v < ${limits.pruneBacklogRowsMax + 1}) select v, 0 from s`)
  await h.mirror('t')
  const logRows = h.database.prepare('select count(*) from _htap_log').pluck()
  for (let round = 1; round <= 3; round++) {
    h.database.exec('update t set a = a + 1')
    h.engine.wake()
    // Pruning has begun as soon as rows disappear from the log.
    const full = logRows.get() as number
    while ((logRows.get() as number) >= full) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    h.database.exec(`update t set a = 100 where id = ${round}`)
    const head = h.engine.headNow() ?? 0
    expect(await h.engine.reach(head, 5000)).toBe(true)
  }
  await h.expectEqual('t')
})
