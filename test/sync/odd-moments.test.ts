import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { HtapError } from '../../dist/src/core/htap-error.js'
import { limits } from '../../dist/src/core/limits.js'
import { messageOf } from '../../dist/src/core/message-of.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { mirrorSchema } from '../../dist/sync/apply/mirrored-table.js'
import { tableFailure } from '../../dist/sync/apply/table-failure.js'
import { LogKeeper } from '../../dist/sync/capture/log-keeper.js'
import type { SetAsideReport } from '../../dist/sync/mirror-file.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import type { CopyProgress } from '../../dist/sync/sync-options.js'
import { SyncHarness } from '../support/sync-harness.js'
import { TestWorld } from '../support/test-world.js'
import { until } from '../support/until.js'

// Branches of syncing that only odd moments and odd data lead into.

const schema = `create table t(id integer primary key, a int, k text unique);
  insert into t values (1, 1, 'a'), (2, 2, 'b')`

async function open(statements = schema): Promise<SyncHarness> {
  const h = await SyncHarness.open('file')
  h.database.exec(statements)
  await h.mirror('t')
  return h
}

it('should begin anew when another layout has written the mirror', async () => {
  const h = await open()
  const before = h.engine.tables.findLive('t')?.sqlName
  await h.engine.store!.writer.execute('update _htap_state.state set layout = 1')
  await h.restart()
  await h.engine.open()
  expect(h.engine.tables.findLive('t')).toBeUndefined()
  await h.mirror('t')
  expect(h.engine.tables.findLive('t')?.sqlName).not.toBe(before)
  await h.expectEqual('t')
})

it('should drop a copy that was never registered', async () => {
  const h = await open()
  await h.engine.store!.writer.execute(`create table ${mirrorSchema}."stray#1"(a bigint)`)
  await h.restart()
  await h.engine.open()
  const names = await h.engine.store!.writer.values(
    `select table_name from information_schema.tables where table_schema = '${mirrorSchema}'`,
  )
  expect(names).toHaveLength(1)
  await h.expectEqual('t')
})

it('should not blame a table for what the store as a whole cannot do', async () => {
  const h = await open()
  const { live } = h.engine.tables.find('t')!
  for (const general of [
    new HtapError('closed', 'the column store is closed'),
    new HtapError('olap-failed', 'full', { facts: { reason: 'no-space' } }),
  ]) {
    expect(tableFailure(live!, general)).toBe(general)
  }
  expect(tableFailure(live!, new HtapError('olap-failed', 'a value'))).toMatchObject({
    code: 'sync-failed',
    facts: { table: 't' },
  })
  expect(messageOf('thrown as it is')).toBe('thrown as it is')
})

it('should throw why a table could not be copied anew, and go on with the old copy', async () => {
  const world = new TestWorld()
  const h = await open()
  const before = h.engine.tables.findLive('t')?.sqlName
  world.onReach = (point) => {
    if (point === 'backfill.table-created') {
      throw new Error('no room for a copy')
    }
  }
  await expect(h.engine.rebuild('t')).rejects.toThrow('no room for a copy')
  world.onReach = () => undefined
  expect(h.engine.tables.findLive('t')?.sqlName).toBe(before)
  await h.expectEqual('t')
  await h.engine.rebuild('t')
  expect(h.engine.tables.findLive('t')?.sqlName).not.toBe(before)
  await h.expectEqual('t')
})

it('should make a copy again whose table changes between its sample and its snapshot', async () => {
  const world = new TestWorld()
  const h = await open()
  let isSampling = false
  let isChanged = false
  world.onReach = (point) => {
    isSampling ||= point === 'capture.committed'
  }
  world.onExec = (sql) => {
    if (isSampling && sql === 'commit' && !isChanged) {
      isChanged = true
      h.database.exec('alter table u add column b')
    }
  }
  h.database.exec('create table u(id integer primary key); insert into u values (1)')
  h.engine.requestCopy('u')
  await until(() => h.engine.tables.findLive('u') !== undefined)
  expect(isChanged).toBe(true)
  await h.expectEqual('t', 'u')
})

it('should tell the progress of a copy whose size cannot be guessed', async () => {
  const seen: CopyProgress[] = []
  const h = await SyncHarness.open('file')
  await h.engine.close()
  await h.start({ onProgress: (progress) => seen.push(progress) })
  h.database.exec(`create table t(k text primary key, a int) without rowid;
    insert into t values ('a', 1), ('b', 2)`)
  await h.mirror('t')
  expect(seen).toMatchObject([
    { rows: 2, rowsTotal: null, remainingMs: null, done: false },
    { rows: 2, rowsTotal: 2, remainingMs: 0, done: true },
  ])
})

it.each([
  ['a log of a layout that says nothing', "delete from _htap_meta where key = 'layout'"],
  ['a log without its epoch', "delete from _htap_meta where key = 'epoch'"],
  ['an empty log', 'delete from _htap_log'],
])('should begin anew beside %s', async (_, damage) => {
  const h = await open()
  await h.engine.syncNow()
  h.database.exec(damage)
  // Whoever asks for freshness may come to know of it first, or the next sync.
  await h.engine.syncNow().catch((error: unknown) => {
    expect(error).toBeInstanceOf(HtapError)
  })
  expect(typeof h.engine.logKeeper.rowsNow()).toBe('number')
  h.database.exec("update t set a = 7; insert into t values (3, 3, 'c')")
  await h.restart()
  await h.mirror('t')
  await h.expectEqual('t')
})

it('should notice that the epoch of the log is gone, while it runs', async () => {
  const h = await open()
  const before = h.engine.tables.findLive('t')?.sqlName
  h.database.exec("delete from _htap_meta where key = 'epoch'; update t set a = 7")
  await until(() => h.engine.tables.findLive('t')?.sqlName !== before)
  await h.mirror('t')
  await h.expectEqual('t')
})

it('should take a log for no longer than nothing that somebody has emptied', async () => {
  const h = await open()
  h.database.exec('delete from _htap_log')
  expect(h.engine.logKeeper.rowsNow()).toBe(0)
})

it('should wait with a log that is too long while somebody writes', async () => {
  const h = await open()
  await h.engine.syncNow()
  await h.engine.close()
  h.database.exec('insert into _htap_log(tbl) select 0 from t a, t b, t c, t d, t e, t f, t g, t h')
  const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
  onTestFinished(() => access.close())
  const failures: unknown[] = []
  const keeper = new LogKeeper({
    access,
    rowsMax: 100,
    ownPlace: () => null,
    onFailure: (error) => failures.push(error),
  })
  const full = keeper.rowsNow()!
  expect(full).toBeGreaterThan(100)
  h.database.exec('begin immediate')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  keeper.start()
  await vi.advanceTimersByTimeAsync(
    limits.logCheckMs + limits.writeAttemptsMax * limits.writeRetryMsMax,
  )
  h.database.exec('commit')
  expect(keeper.rowsNow()).toBe(full)
  await vi.advanceTimersByTimeAsync(2 * limits.logCheckMs)
  await keeper.close()
  expect(keeper.rowsNow()).toBeLessThanOrEqual(100)
  expect(failures).toEqual([])
})

it('should stop shortening the log when it is closed', async () => {
  const h = await SyncHarness.open('file')
  await h.engine.close()
  h.database.exec(schema)
  await h.start({ logRowsMax: 1000 })
  await h.mirror('t')
  await h.engine.syncNow()
  const logRows = h.database.prepare('select count(*) from _htap_log').pluck()
  h.database.exec(`insert into _htap_consumer values ('slow', 0, ${Date.now()})`)
  h.database.exec(`insert into _htap_log(tbl)
    with recursive s(v) as (select 1 union all select v + 1 from s where v < 100000) select 0 from s`)
  const full = logRows.get() as number
  while (logRows.get() === full) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  await h.engine.close()
  expect(logRows.get()).toBeGreaterThan(1000)
})

it('should copy no table that is not listed', async () => {
  const h = await SyncHarness.open('file')
  await h.engine.close()
  h.database.exec(`${schema}; create table u(id integer primary key)`)
  await h.start({ tables: ['t'] })
  h.engine.requestCopy('u')
  expect(h.engine.tables.find('u')).toBeUndefined()
  await h.mirror('t')
  expect(h.engine.tables.find('u')).toBeUndefined()
})

it('should report a file that is not there any more, though its opening was begun', async () => {
  const h = await open()
  await h.engine.close()
  const mirror = `${h.path}-htap.duckdb`
  rmSync(mirror)
  rmSync(`${mirror}.wal`, { force: true })
  writeFileSync(`${mirror}.opening`, '')
  const reports: SetAsideReport[] = []
  await h.start({ onSetAside: (report) => reports.push(report) })
  await h.mirror('t')
  expect(reports).toMatchObject([{ keptAs: null }])
  expect(existsSync(`${mirror}.opening`)).toBe(false)
  await h.expectEqual('t')
})

it('should end while its opening is refused, and not try again', async () => {
  const h = await open()
  await h.engine.close()
  const keeper = await FileLock.tryAcquire(`${h.path}-htap.duckdb.lock`)
  onTestFinished(() => keeper?.release())
  await h.start()
  const opening = h.engine.open()
  await h.engine.close()
  expect(await opening).toBe(false)
  expect(h.engine.state).toBe('closed')
})
