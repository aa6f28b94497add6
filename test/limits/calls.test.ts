import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { MigrationLock } from '../../dist/dialect/migration-lock.js'
import { limits } from '../../dist/src/core/limits.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import {
  openControlConnection,
  openReadConnection,
} from '../../dist/src/oltp/open-read-connection.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { writePatiently } from '../../dist/sync/read/write-patiently.js'
import { openShop } from '../support/shop.js'
import { SyncHarness } from '../support/sync-harness.js'
import { tempFolder } from '../support/temp-folder.js'
import { TestWorld } from '../support/test-world.js'

// What happens when calls and waits reach their limits. Timers are moved on where they are long; engines,
// files and locks are real.

const schema = 'create table t(id integer primary key, a int); insert into t values (1, 1), (2, 2)'

function moveTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** How a promise stands, without waiting for it. */
function watch(promise: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'pending' }
  promise.then(
    (value) => {
      watched.outcome = value
    },
    (error: unknown) => {
      watched.outcome = error
    },
  )
  return watched
}

it('syncNow is refused when the copy does not catch up in time', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t')
  await h.engine.syncNow()
  const release = world.holdChanges()
  h.database.exec('update t set a = a + 1')
  moveTimers()
  const call = watch(h.engine.syncNow())
  await vi.advanceTimersByTimeAsync(limits.syncNowTimeoutMs - 1)
  expect(call.outcome).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)
  expect(call.outcome).toMatchObject({
    code: 'wait-timeout',
    message: expect.stringContaining('the copy did not catch up in time'),
  })
  vi.useRealTimers()
  release()
  await h.expectEqual('t')
})

it('verify is refused when a table never stands still', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror('t')
  let isOver = false
  let writes = 0
  const write = async () => {
    while (!isOver) {
      h.database.exec('update t set a = a + 1')
      writes++
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const writing = write()
  const call = h.engine.verify(['t']).finally(() => {
    isOver = true
  })
  await expect(call).rejects.toMatchObject({
    code: 'wait-timeout',
    message: expect.stringContaining('changes too quickly to be verified'),
  })
  await writing
  expect(writes).toBeGreaterThanOrEqual(limits.verifyAttemptsMax)
  await h.expectEqual('t')
})

it('a write of the mirror into SQLite gives way to others for a while, then fails as SQLite does', async () => {
  const path = join(tempFolder(), 'locked.db')
  const other = new Database(path)
  onTestFinished(() => void other.close())
  other.pragma('journal_mode = wal')
  other.exec(schema)
  const access = new OwnConnectionAccess(await openControlConnection(path), path)
  onTestFinished(() => access.close())
  const tries = vi.spyOn(access, 'write')
  other.exec('begin immediate')
  moveTimers()
  const write = () =>
    writePatiently(access, (database) => database.exec('update t set a = 7 where id = 1'))
  const freed = watch(write())
  await vi.advanceTimersByTimeAsync(10 * limits.writeRetryMsMax)
  expect(freed.outcome).toBe('pending')
  other.exec('commit')
  await vi.advanceTimersByTimeAsync(limits.writeRetryMsMax)
  expect(freed.outcome).not.toBe('pending')
  expect(other.prepare('select a from t where id = 1').pluck().get()).toBe(7)
  other.exec('begin immediate')
  tries.mockClear()
  const refused = watch(write())
  await vi.advanceTimersByTimeAsync(limits.writeAttemptsMax * limits.writeRetryMsMax)
  expect(refused.outcome).toMatchObject({ code: 'SQLITE_BUSY' })
  expect(tries).toHaveBeenCalledTimes(limits.writeAttemptsMax)
})

it('a read of the mirror waits a while for a lock on SQLite, then fails', async () => {
  const path = join(tempFolder(), 'locked.db')
  const other = new Database(path)
  onTestFinished(() => void other.close())
  other.pragma('journal_mode = wal')
  other.exec(schema)
  // As while the log is recovered, nobody else can read.
  other.pragma('locking_mode = exclusive')
  other.exec('update t set a = 2')
  const database = await openReadConnection(path)
  onTestFinished(() => void database.close())
  const startMs = performance.now()
  expect(() => database.prepare('select * from t').all()).toThrow(
    expect.objectContaining({ code: 'SQLITE_BUSY' }),
  )
  expect(performance.now() - startMs).toBeGreaterThan(limits.readBusyTimeoutMs * 0.9)
})

it('destroy does not wait for ever for connections that nobody gives back', async () => {
  const { db, database } = openShop({}, 10)
  const forgotten = await db.startTransaction().execute()
  await sql`update sale set amount = 0`.execute(forgotten)
  moveTimers()
  const call = watch(db.destroy())
  await vi.advanceTimersByTimeAsync(limits.drainWaitMs - 1)
  expect(call.outcome).toBe('pending')
  expect(database.open).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  vi.useRealTimers()
  await expect.poll(() => database.open).toBe(false)
})

it('a migration looks now and then whether the other one has ended, and is refused at the end', async () => {
  const { db, database } = openShop({}, 10)
  const other = await FileLock.tryAcquire(`${database.name}-htap-migration`)
  const tries = vi.spyOn(FileLock, 'tryAcquire')
  onTestFinished(() => tries.mockRestore())
  const waitMs = 10 * limits.migrationLockPollMs
  await expect(new MigrationLock(waitMs).acquire(db)).rejects.toMatchObject({
    code: 'migration-lock-held',
    message: expect.stringContaining('another migration of this database is running'),
  })
  expect(tries.mock.calls.length).toBeGreaterThan(1)
  expect(tries.mock.calls.length).toBeLessThanOrEqual(waitMs / limits.migrationLockPollMs + 1)
  // Without being told how long, it would have waited for a minute.
  const timeouts = vi.spyOn(AbortSignal, 'timeout')
  onTestFinished(() => timeouts.mockRestore())
  const waiting = new MigrationLock()
  const acquired = waiting.acquire(db)
  expect(timeouts).toHaveBeenCalledWith(limits.migrationLockWaitMs)
  other?.release()
  await acquired
  await waiting.release()
})
