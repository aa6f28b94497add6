import { expect, it } from 'vitest'
import { HtapDialect } from '../../dist/dialect/index.js'
import { limits } from '../../dist/src/core/limits.js'
import { SyncHarness } from '../support/sync-harness.js'
import { TestWorld } from '../support/test-world.js'
import { until } from '../support/until.js'

// What happens at the limits of the change log; `test/sync/log-limit.test.ts` has its length.

const fill = (rows: number) => `create table t(id integer primary key, a int);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
    select v, v from s`

function logRows(h: SyncHarness): number {
  return h.database.prepare('select count(*) from _htap_log').pluck().get() as number
}

it('is pruned when nothing happens for a while, so many rows a statement', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(fill(2 * limits.pruneRowsMax))
  await h.mirror('t')
  await h.engine.syncNow()
  h.database.exec(`update t set a = a + 1; update t set a = a + 1 where id <= 10`)
  await h.engine.syncNow()
  // The wait has not begun before the sync, and the engine's own clock has not moved since.
  expect(logRows(h)).toBeGreaterThan(2 * limits.pruneRowsMax)
  const left: number[] = []
  world.onReach = (point) => point === 'prune.committed' && left.push(logRows(h))
  const before = logRows(h)
  world.pass(limits.pruneIdleMs + 1)
  await until(() => logRows(h) === 1)
  expect(left).toEqual([before - limits.pruneRowsMax, before - 2 * limits.pruneRowsMax, 1])
  await h.expectEqual('t')
})

it('is pruned at once when more applied rows wait than may, also under steady writes', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(fill(1000))
  await h.mirror('t')
  const rounds = limits.pruneBacklogRowsMax / 1000 + 2
  const lengths: number[] = []
  for (let round = 0; round < rounds; round++) {
    h.database.exec('update t set a = a + 1')
    await h.engine.syncNow()
    lengths.push(logRows(h))
  }
  expect(Math.max(...lengths)).toBeLessThanOrEqual(limits.pruneBacklogRowsMax + 1000)
  expect(lengths.some((length, round) => length < (lengths[round - 1] ?? 0))).toBe(true)
})

it('hears from a mirror for which there is nothing to do', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(fill(10))
  await h.mirror('t')
  await h.engine.syncNow()
  world.pass(limits.pruneIdleMs + 1)
  await until(() => logRows(h) === 1)
  const seenMs = () => h.database.prepare('select seen_ms from _htap_consumer').pluck().get()
  h.database.exec('update _htap_consumer set seen_ms = 1')
  world.pass(limits.heartbeatMs - 10_000)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(seenMs()).toBe(1)
  world.pass(20_000)
  await until(() => seenMs() !== 1)
})

it('refuses a limit that is too small to work with', () => {
  const open = (logRowsMax: number) =>
    new HtapDialect({ database: ':memory:', sync: { logRowsMax } })
  expect(() => open(limits.logRowsMaxMin)).not.toThrow()
  expect(() => open(limits.logRowsMaxMin - 1)).toThrow(
    expect.objectContaining({ code: 'config-invalid' }),
  )
})

it('is looked at in intervals, and may be longer in between', async () => {
  const h = await SyncHarness.open('file')
  await h.engine.close()
  const startMs = performance.now()
  await h.start({ logRowsMax: limits.logRowsMaxMin })
  h.database.exec(fill(3 * limits.logRowsMaxMin))
  await h.mirror('t')
  h.database.exec("insert into _htap_consumer values ('slow', 0, 9e15)")
  h.database.exec(`update _htap_consumer set seen_ms = ${Date.now()}; update t set a = a + 1`)
  expect(logRows(h)).toBeGreaterThan(limits.logRowsMaxMin)
  await until(() => logRows(h) <= limits.logRowsMaxMin)
  expect(performance.now() - startMs).toBeGreaterThan(limits.logCheckMs - 20)
})

it('has room for keys of some columns, and a table with longer ones stays on SQLite', async () => {
  const h = await SyncHarness.open('file')
  for (const [name, count] of [
    ['fits', limits.keyColumnsMax],
    ['wide', limits.keyColumnsMax + 1],
  ] as const) {
    const names = Array.from({ length: count }, (_, index) => `c${index}`)
    const values = names.map((_, index) => index)
    h.database.exec(`create table ${name}(${names.join(', ')}, v, primary key (${names.join(', ')}))
      without rowid; insert into ${name} values (${values.join(', ')}, 'v')`)
  }
  await h.mirror('fits', 'wide')
  await h.expectEqual('fits')
  expect(h.engine.tables.find('wide')).toMatchObject({
    state: 'refused',
    reason: `its primary key has more than ${limits.keyColumnsMax} columns`,
  })
})
