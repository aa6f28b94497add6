import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { SyncEngine } from '../../dist/sync/sync-engine.js'
import type { VerifyReport } from '../../dist/sync/verify.js'
import { copyDatabase, copyMirror, mirrorOf } from '../support/files.js'
import { MirroredApp } from '../support/mirrored-app.js'
import { SyncHarness } from '../support/sync-harness.js'
import { tempFolder } from '../support/temp-folder.js'

// Copies of a database, however they are made, with the mirror file beside them and without, open as
// what they are; and mirrors that meet a database which is not theirs find that out.

const setup = `
  create table t(id integer primary key, a integer, b text);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5) from s;
  create table bare(a integer, b text);
  insert into bare select id, b from t; delete from bare where a % 3 = 0`

const queries = [
  'select *, count(*) over () as n from t order by id',
  'select sum(a) as a, count(*) as n from t',
  'select *, count(*) over () as n from bare order by a',
]

const changes = 'update t set a = a + 100 where id < 31; delete from bare where a < 20'

async function openMirrored(path?: string): Promise<MirroredApp> {
  const app = await MirroredApp.open(path === undefined ? setup : '', path ? { path } : {})
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[2]!)
  await app.expectEqual('bare', 't')
  return app
}

async function expectRight(app: MirroredApp): Promise<void> {
  await app.expectSame(queries, 'at once')
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[2]!)
  app.database.exec('update t set a = a + 1 where id < 50; update bare set b = b where a % 2 = 0')
  await app.expectSame(queries, 'after a change')
  await app.expectEqual('bare', 't')
  await app.expectHealthy()
}

/** The same as long as nobody has begun a mirror anew. */
function consumersOf(app: MirroredApp): unknown[] {
  return app.database.prepare('select id from _htap_consumer').pluck().all()
}

type Way = readonly [name: string, copy: (app: MirroredApp, to: string) => unknown]

const ways: readonly Way[] = [
  ['VACUUM INTO', (app, to) => app.database.prepare('vacuum into ?').run(to)],
  ['the online backup', (app, to) => app.database.backup(to)],
  ['a plain copy', (app, to) => copyDatabase(app.path, to)],
]

describe.each(ways)('a copy by %s', (_, copy) => {
  const elsewhere = () => join(tempFolder(), 'copy.db')

  it('opens without a mirror file, and both go their own way', async () => {
    const app = await openMirrored()
    const path = elsewhere()
    await copy(app, path)
    const copied = await openMirrored(path)
    app.database.exec(changes)
    copied.database.exec('update t set a = -1 where id < 31')
    await expectRight(app)
    await expectRight(copied)
  })

  it('opens with the mirror file of the same moment, and goes on with it', async () => {
    const app = await openMirrored()
    app.database.exec(changes)
    await app.expectEqual('bare', 't')
    const consumers = consumersOf(app)
    const path = elsewhere()
    await copy(app, path)
    await app.stop()
    copyMirror(app.path, path)
    const copied = await MirroredApp.open('', { path })
    await copied.untilRouted(queries[0]!)
    expect(consumersOf(copied)).toEqual(consumers)
    await expectRight(copied)
  })

  it('opens with a mirror file that has gone on since', async () => {
    const app = await openMirrored()
    const path = elsewhere()
    await copy(app, path)
    app.database.exec(changes)
    await app.expectEqual('bare', 't')
    await app.stop()
    copyMirror(app.path, path)
    await expectRight(await MirroredApp.open('', { path }))
  })

  it('takes the place of a database that has gone on since', async () => {
    const app = await openMirrored()
    const path = elsewhere()
    await copy(app, path)
    app.database.exec(changes)
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(path, app.path)
    app.start()
    await expectRight(app)
  })

  it('takes the place of a database of which only the schema has gone on since', async () => {
    const app = await openMirrored()
    const path = elsewhere()
    await copy(app, path)
    app.database.exec('create index t_a on t(a); create table more(id integer primary key)')
    await app.expectSame(queries, 'before')
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(path, app.path)
    app.start()
    await expectRight(app)
  })
})

describe('a mirror file', () => {
  it('of before is put back, and what it needs has left the log', async () => {
    const app = await openMirrored()
    await app.stop()
    copyMirror(app.path, `${app.path}.old`)
    app.start()
    app.database.exec(changes)
    await app.expectEqual('bare', 't')
    await app.stop()
    copyMirror(`${app.path}.old`, app.path)
    app.start()
    await expectRight(app)
  })

  it('of a copy that went its own way up to the same position comes back', async () => {
    const app = await openMirrored()
    await app.stop()
    const path = join(tempFolder(), 'copy.db')
    copyDatabase(app.path, path)
    copyMirror(app.path, path)
    const copied = await MirroredApp.open('', { path })
    copied.database.exec('update t set a = -1 where id < 31')
    app.start()
    app.database.exec('update t set a = -2 where id < 31')
    for (const it of [app, copied]) {
      await it.untilRouted(queries[0]!)
      await it.expectEqual('bare', 't')
      await it.stop()
    }
    copyMirror(path, app.path)
    app.start()
    await expectRight(app)
  })

  it('was copied, and both follow one database without either missing a change', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec(setup)
    await h.mirror('t', 'bare')
    await h.engine.close()
    copyMirror(h.path, `${h.path}.twin`)
    const openTwin = async () => {
      const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
      const engine = new SyncEngine(access, {
        olapPath: mirrorOf(`${h.path}.twin`),
        fileMode: null,
        memoryLimit: '512MB',
        threads: 1,
        tables: 'auto',
        intervalMs: 10,
        whenLocked: 'sqlite',
        logRowsMax: 1_000_000,
      })
      engine.start()
      return engine
    }
    const expectBothEqual = async (twin: SyncEngine) => {
      for (let round = 0; round < 3; round++) {
        h.database.exec(changes)
        for (const engine of [h.engine, twin]) {
          expect(await verifySoon(engine)).toMatchObject({ equal: true, tables: [{}, {}] })
        }
      }
    }
    const first = await openTwin()
    await h.start()
    await expectBothEqual(first)
    // Now one of them moves their common place in the log beyond where the other has got to.
    await first.close()
    h.database.exec(changes)
    await h.engine.syncNow()
    await h.restart()
    const second = await openTwin()
    await expectBothEqual(second)
    await second.close()
    const consumers = h.database.prepare('select count(*) from _htap_consumer').pluck()
    expect(consumers.get()).toBe(2)
  })
})

/**
 * The other engine may be making copies, whose marks move the log on under the comparison, or have
 * ended the place in the log that both had; then this one begins anew.
 */
async function verifySoon(engine: SyncEngine): Promise<VerifyReport> {
  const deadlineMs = performance.now() + 10_000
  for (;;) {
    try {
      await engine.syncNow()
      engine.requestCopy('t')
      engine.requestCopy('bare')
      await engine.waitForCopies(['bare', 't'], 10_000)
      return await engine.verify()
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code)
      if (performance.now() > deadlineMs || !['wait-timeout', 'sync-failed'].includes(code)) {
        throw error
      }
    }
  }
}
