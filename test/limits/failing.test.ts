import { join } from 'node:path'
import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import { RetryPause } from '../../dist/sync/retry-pause.js'
import { SyncHarness } from '../support/sync-harness.js'
import { tempFolder } from '../support/temp-folder.js'
import { TestWorld } from '../support/test-world.js'
import { until } from '../support/until.js'

// What happens when syncs, copies and openings fail up to their limits.

const schema = 'create table t(id integer primary key, a int); insert into t values (1, 1), (2, 2)'

it('a rest is twice as long after every failure, up to a limit, and short again after a good time', () => {
  const world = new TestWorld()
  const pause = new RetryPause()
  const rests = Array.from({ length: 9 }, () => pause.next())
  const { copyRetryMs, copyRetryMsMax } = limits
  expect(rests.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 32].map((factor) => factor * copyRetryMs))
  expect(rests.slice(6)).toEqual([copyRetryMsMax, copyRetryMsMax, copyRetryMsMax])
  world.pass(2 * copyRetryMsMax - 1000)
  expect(pause.next()).toBe(copyRetryMsMax)
  world.pass(2 * copyRetryMsMax + 1000)
  expect(pause.next()).toBe(copyRetryMs)
})

it('a sync whose source never stands still fails, and after several the mirror is opened anew', async () => {
  const world = new TestWorld()
  // Every failure is followed at once by the next run, since what made it fail was a commit; so what
  // was true at each of them is noted then, and not looked for afterwards.
  const failures: { error: unknown; changes: number; opened: number; state: string }[] = []
  const openings = () => world.times('open.store-opened')
  const h = await SyncHarness.openFile(join(tempFolder(), 'test.db'), {
    onError: (error) => {
      if (String(error).includes('the source kept changing under the sync')) {
        const { schema, state } = h.engine
        failures.push({ error, changes: schema.changes, opened: openings(), state })
        if (failures.length === limits.syncFailuresMax) {
          world.onExec = () => undefined
        }
      }
    },
  })
  h.database.exec(schema)
  await h.mirror('t')
  await h.engine.syncNow()
  const { changes } = h.engine.schema
  const opened = openings()
  // Somebody changes the schema before every single look.
  let looks = 0
  world.onExec = (sql) => {
    if (sql === 'begin') {
      looks++
      h.database.exec(`create table other${looks}(id)`)
    }
  }
  h.database.exec('update t set a = a + 1')
  h.engine.wake()
  await until(() => openings() > opened && h.engine.state === 'ready')
  expect(failures).toHaveLength(limits.syncFailuresMax)
  failures.forEach((failure, index) => {
    expect(failure).toMatchObject({ error: { code: 'sync-failed' }, opened, state: 'ready' })
    expect(failure.changes - changes).toBe((index + 1) * limits.syncAttemptsMax)
  })
  expect(openings()).toBe(opened + 1)
  await h.mirror('t')
  await h.expectEqual('t')
})

it('a copy waits a moment when the sync that it joins with fails, and joins with a later one', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t')
  h.database.exec('create table u(id integer primary key); insert into u values (1)')
  const opened = world.times('open.store-opened')
  const copied = world.times('backfill.complete')
  let joinings = 0
  const begunMs = performance.now()
  world.onReach = (point) => {
    if (point === 'apply.begin' && world.times('backfill.complete') > copied) {
      joinings++
      if (joinings < limits.syncFailuresMax) {
        throw new Error('the column store is away')
      }
    }
  }
  await h.mirror('u')
  expect(joinings).toBeGreaterThanOrEqual(limits.syncFailuresMax)
  expect(performance.now() - begunMs).toBeGreaterThan(limits.joinRetryMs)
  expect(world.times('open.store-opened')).toBe(opened)
  expect(world.times('backfill.complete')).toBe(copied + 1)
  await h.expectEqual('t', 'u')
})

it('the lock of somebody else’s mirror is tried now and then', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t')
  await h.engine.close()
  const keeper = await FileLock.tryAcquire(`${h.path}-htap.duckdb.lock`)
  const startMs = performance.now()
  await h.start()
  await until(() => h.engine.state === 'standby')
  keeper?.release()
  await until(() => h.engine.state === 'ready')
  // Timers and this clock differ by a few milliseconds at most.
  expect(performance.now() - startMs).toBeGreaterThan(limits.standbyPollMs - 20)
  await h.expectEqual('t')
})
