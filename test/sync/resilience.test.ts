import { writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { SyncEngine } from '../../dist/sync/sync-engine.js'
import { SyncHarness } from '../support/sync-harness.js'

const schema = 'create table t(id integer primary key, a int); insert into t values (1, 1), (2, 2)'

describe('a mirror', () => {
  it('should be made anew when its file is damaged', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    await h.mirror('t')
    await h.engine.close()
    writeFileSync(`${h.path}-htap.duckdb`, 'this is no column store')
    await h.start()
    await h.mirror('t')
    await h.expectEqual('t')
  })

  it('should be made anew when its place in the change log is gone', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    await h.mirror('t')
    h.database.exec('delete from _htap_consumer; insert into t values (3, 3)')
    const deadline = Date.now() + 10_000
    const consumers = h.database.prepare('select count(*) from _htap_consumer').pluck()
    while (consumers.get() === 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await h.mirror('t')
    await h.expectEqual('t')
  })

  it('should not copy a table anew that somebody asks for while it opens', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    await h.mirror('t')
    await h.engine.close()
    const copied: string[] = []
    await h.start({ onProgress: ({ table }) => copied.push(table) })
    expect(h.engine.state).toBe('opening')
    await h.mirror('t')
    await h.expectEqual('t')
    expect(h.engine.tables.find('t')).toMatchObject({ state: 'live', isCopying: false })
    expect(copied).toEqual([])
  })

  it('should belong to one engine at a time and go to the next when that one ends', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    await h.mirror('t')
    const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
    const second = new SyncEngine(access, {
      olapPath: `${h.path}-htap.duckdb`,
      whenLocked: 'sqlite',
      fileMode: null,
      memoryLimit: '512MB',
      threads: 1,
      tables: 'auto',
      intervalMs: 10,
      logRowsMax: limits.logRowsMax,
    })
    second.requestCopy('t')
    await second.waitForCopies(['t'], 5000)
    expect(second.state).toBe('standby')
    expect(second.failure).toMatchObject({
      code: 'mirror-unavailable',
      message: expect.stringContaining('another process or thread keeps this mirror'),
      facts: { reason: 'locked' },
    })
    await h.engine.close()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    second.requestCopy('t')
    await second.waitForCopies(['t'], 5000)
    await second.syncNow()
    expect(second.tables.findLive('t')).toBeDefined()
    expect((await second.verify()).equal).toBe(true)
    await second.close()
    await h.start()
    await h.engine.syncNow()
    await h.expectEqual('t')
  })

  it('should not keep another process from writing, nor wait for one in silence', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    const other = new Database(h.path, { timeout: 0 })
    other.exec('begin immediate; insert into t values (9, 9)')
    h.engine.requestCopy('t')
    await h.engine.waitForCopies(['t'], 200)
    expect(h.state('t')).toBe('copying')
    other.exec('commit')
    await h.engine.waitForCopies(['t'], 20_000)
    for (let id = 100; id < 400; id++) {
      other.exec(`insert into t values (${id}, 0)`)
      if (id % 10 === 0) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    other.close()
    await h.expectEqual('t')
  })
})
