import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { overwrite } from '../support/damage.js'
import { SyncHarness } from '../support/sync-harness.js'

// A change that cannot be applied: here because somebody has taken a column off a copy behind the
// engine's back, which makes DuckDB itself refuse the rows.

const schema = `create table t(id integer primary key, a int); insert into t values (1, 1), (2, 2);
  create table u(id integer primary key, a int); insert into u values (1, 1)`

async function poison(h: SyncHarness, table: string): Promise<void> {
  const { sqlName } = h.engine.tables.findLive(table)!
  await h.engine.store!.writer.execute(`alter table ${sqlName} drop column a`)
}

async function until(isReached: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!isReached() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(isReached()).toBe(true)
}

it('should take only the table off whose change cannot be applied, and copy it anew', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t', 'u')
  const copies = h.engine.tables.findLive('u')?.sqlName
  await poison(h, 't')
  h.database.exec('insert into t values (3, 3); insert into u values (2, 2)')
  await h.engine.syncNow()
  const t = h.engine.tables.find('t')!
  expect(t).toMatchObject({ state: 'absent', live: null, reason: 'a change could not be applied' })
  expect(t.lastError).toMatchObject({ code: 'sync-failed', facts: { table: 't' } })
  expect((t.lastError as Error).message).toContain('could not be applied: ')
  expect((t.lastError as Error).cause).toBeInstanceOf(Error)
  await h.expectEqual('u')
  await until(() => h.engine.tables.findLive('t') !== undefined)
  await h.expectEqual('t', 'u')
  expect(h.engine.tables.findLive('u')?.sqlName).toBe(copies)
  expect(h.engine.state).toBe('ready')
})

it('should rest longer before each next attempt', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t')
  const rests: number[] = []
  for (let round = 1; round <= 3; round++) {
    await poison(h, 't')
    h.database.exec(`update t set a = ${round}`)
    await h.engine.syncNow()
    const t = h.engine.tables.find('t')!
    rests.push(t.retryAtMs - performance.now())
    // Not waited for: the next attempt is made now.
    t.retryAtMs = 0
    await until(() => h.engine.tables.findLive('t') !== undefined)
  }
  for (const [round, rest] of rests.entries()) {
    expect(rest).toBeGreaterThan(limits.copyRetryMs * 2 ** round * 0.5)
    expect(rest).toBeLessThanOrEqual(limits.copyRetryMs * 2 ** round)
  }
  await h.expectEqual('t')
})

it('should take every table off that is poisoned, however many', async () => {
  const h = await SyncHarness.open('file')
  const names = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'whole']
  for (const name of names) {
    h.database.exec(`create table ${name}(id integer primary key, a int)`)
  }
  await h.mirror(...names)
  for (const name of names.slice(0, -1)) {
    await poison(h, name)
  }
  for (const name of names) {
    h.database.exec(`insert into ${name} values (1, 1)`)
  }
  await h.engine.syncNow()
  expect(names.filter((name) => h.engine.tables.findLive(name) !== undefined)).toEqual(['whole'])
  await h.expectEqual('whole')
  await until(() => names.every((name) => h.engine.tables.findLive(name) !== undefined))
  await h.expectEqual(...names)
})

it('should not serve the poisoned copy after a restart', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t', 'u')
  await poison(h, 't')
  h.database.exec('insert into t values (3, 3); insert into u values (2, 2)')
  await h.engine.syncNow()
  await h.restart()
  await h.engine.open()
  expect(h.engine.tables.findLive('u')).toBeDefined()
  expect(h.engine.tables.findLive('t')).toBeUndefined()
  await h.mirror('t')
  await h.expectEqual('t', 'u')
})

it('should take only the table off that SQLite itself cannot read', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(`${schema};
    insert into t with recursive s(v) as (select 3 union all select v + 1 from s where v < 5000)
      select v, v from s`)
  await h.mirror('t', 'u')
  await h.engine.close()
  // More changes than are read on the main thread: a worker's connection has no page in its memory.
  h.database.exec('update t set a = a + 1; insert into u values (4, 4)')
  h.database.pragma('wal_checkpoint(truncate)')
  const root = h.database
    .prepare("select rootpage from sqlite_schema where name = 't'")
    .pluck()
    .get()
  overwrite(h.path, (Number(root) - 1) * 4096, 100, () => 255)
  await h.start()
  await h.engine.syncNow()
  expect(h.engine.tables.find('t')).toMatchObject({ state: 'absent', live: null })
  expect(String(h.engine.tables.find('t')?.lastError)).toMatch(/malformed/)
  expect(await h.mirrorRows('u')).toHaveLength(2)
})
