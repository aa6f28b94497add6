import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import { SyncHarness } from '../support/sync-harness.js'

// The log keeps what the slowest mirror needs, up to a limit. There it is shortened all the same, and
// whoever was too slow begins anew. Here the limit is 2000 rows.
const logRowsMax = 2000

const schema = `create table t(id integer primary key, a int);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 1000)
    select v, 0 from s`

function logSpan(h: SyncHarness): number {
  return h.database.prepare('select max(seq) - min(seq) + 1 from _htap_log').pluck().get() as number
}

function consumers(h: SyncHarness): { id: string; position: number }[] {
  return h.database.prepare('select id, position from _htap_consumer').all() as {
    id: string
    position: number
  }[]
}

async function until(isReached: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!isReached() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(isReached()).toBe(true)
}

async function openHarness(): Promise<SyncHarness> {
  const h = await SyncHarness.open('file')
  await h.engine.close()
  await h.start({ logRowsMax })
  h.database.exec(schema)
  await h.mirror('t')
  await h.expectEqual('t')
  return h
}

function addConsumer(h: SyncHarness, id: string, seenMs: number): void {
  h.database.prepare('insert into _htap_consumer values (?, 0, ?)').run(id, seenMs)
}

function write(h: SyncHarness, changes: number): void {
  for (let done = 0; done < changes; done += 1000) {
    h.database.exec('update t set a = a + 1')
  }
}

it('should keep what a slow mirror needs, and no more than the limit', async () => {
  const h = await openHarness()
  addConsumer(h, 'slow', Date.now())
  write(h, 1000)
  await h.engine.syncNow()
  await new Promise((resolve) => setTimeout(resolve, 2 * limits.pruneIdleMs))
  expect(logSpan(h)).toBeGreaterThanOrEqual(1000)
  expect(consumers(h)).toHaveLength(2)
  for (let round = 1; round <= 4; round++) {
    write(h, 1000)
    await h.engine.syncNow()
  }
  await until(() => logSpan(h) <= logRowsMax)
  expect(consumers(h).map((it) => it.id)).not.toContain('slow')
  expect(consumers(h)).toHaveLength(1)
  await h.expectEqual('t')
})

it('should not take its own mirror for slow when the log knows an old place of it', async () => {
  const h = await openHarness()
  const before = h.engine.tables.findLive('t')?.sqlName
  addConsumer(h, 'slow', Date.now())
  write(h, 2000)
  await h.engine.syncNow()
  h.database.exec(`update t set a = a + 1 where id < 100; update _htap_consumer set position = 0`)
  await until(() => consumers(h).length === 1)
  await h.expectEqual('t')
  expect(h.engine.tables.findLive('t')?.sqlName).toBe(before)
})

it.each([
  ['a mirror that was not heard of for a day', 'file', limits.consumerExpiryMs],
  [
    'a mirror in memory that was not heard of for half an hour',
    'memory:1',
    limits.memoryConsumerExpiryMs,
  ],
  ['a mirror of tomorrow, which a wrong clock has left', 'file', -2 * limits.consumerExpiryMs],
])('should not wait for %s', async (_, id, ageMs) => {
  const h = await openHarness()
  addConsumer(h, id, Date.now() - ageMs - 1000)
  write(h, 1000)
  await until(() => logSpan(h) === 1)
  expect(consumers(h).map((it) => it.id)).not.toContain(id)
  await h.expectEqual('t')
})

it('should wait for a mirror that was heard of yesterday', async () => {
  const h = await openHarness()
  addConsumer(h, 'file', Date.now() - limits.consumerExpiryMs + 60_000)
  write(h, 1000)
  await h.engine.syncNow()
  await new Promise((resolve) => setTimeout(resolve, 2 * limits.pruneIdleMs))
  expect(logSpan(h)).toBeGreaterThanOrEqual(1000)
})

it('should be kept short by a process that only waits for the mirror', async () => {
  const h = await openHarness()
  await h.engine.close()
  // A keeper that is alive and does nothing.
  const keeper = await FileLock.tryAcquire(`${h.path}-htap.duckdb.lock`)
  await h.start({ logRowsMax })
  await h.engine.open()
  expect(h.engine.state).toBe('standby')
  const other = new Database(h.path)
  for (let round = 0; round < 6; round++) {
    other.exec('update t set a = a + 1')
  }
  other.close()
  await until(() => logSpan(h) <= logRowsMax)
  keeper?.release()
  await until(() => h.engine.state === 'ready')
  await h.mirror('t')
  await h.expectEqual('t')
})

it('should not take a mirror for registered that it has forgotten', async () => {
  const h = await openHarness()
  const before = h.engine.tables.findLive('t')?.sqlName
  h.database.exec('update t set a = a + 1 where id < 10')
  await h.engine.syncNow()
  h.database.exec('delete from _htap_consumer')
  // The next prune notes the mirror's place: what came since it was forgotten may be gone.
  await new Promise((resolve) => setTimeout(resolve, 2 * limits.pruneIdleMs))
  expect(consumers(h)).toEqual([])
  h.database.exec('update t set a = a + 1')
  await until(() => h.engine.tables.findLive('t')?.sqlName !== before)
  await until(() => h.engine.tables.findLive('t') !== undefined)
  await h.expectEqual('t')
})

it('should begin a mirror anew that cannot keep up', async () => {
  const h = await openHarness()
  const before = h.engine.tables.findLive('t')?.sqlName
  // The store is busy for longer than the log has room: three seconds.
  const { writer } = h.engine.store!
  const count = (rows: number) =>
    writer.values(`select count(*) from range(${rows}) where random() < 0`)
  const startMs = performance.now()
  await count(10_000_000)
  const busy = count(Math.ceil(30_000_000_000 / (performance.now() - startMs)))
  write(h, 6000)
  await until(() => logSpan(h) <= logRowsMax)
  expect(consumers(h)).toEqual([])
  await busy
  await until(() => h.engine.tables.findLive('t')?.sqlName !== before)
  await until(() => h.engine.tables.findLive('t') !== undefined)
  await h.expectEqual('t')
})

it('should give up a first copy that takes longer than the log has room, and try it again', async () => {
  const h = await openHarness()
  h.database.exec(`create table large(id integer primary key, a int);
    insert into large with recursive s(v) as (select 1 union all select v + 1 from s where v < 1000000)
      select v, v from s`)
  h.engine.requestCopy('large')
  const large = h.engine.tables.find('large')!
  await until(() => large.copyPosition !== null)
  write(h, 2000)
  h.engine.wake()
  await until(() => large.lastError !== null)
  expect(large.lastError).toMatchObject({ code: 'sync-failed', facts: { table: 'large' } })
  expect(String(large.lastError)).toContain('changes came while large was copied')
  expect(String(large.lastError)).toContain('sync.logRowsMax')
  await h.engine.syncNow()
  expect(h.engine.tables.findLive('t')).toBeDefined()
  await until(() => h.engine.tables.findLive('large') !== undefined)
  await h.expectEqual('t', 'large')
})
