import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { MirroredApp } from '../support/mirrored-app.js'

// A database whose change log was kept by another version of this package.

const setup = `
  create table t(id integer primary key, a integer);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7 from s`

const sum = 'select sum(a) as a, count(*) as n from t'

it('begins the log of an earlier version anew', async () => {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(sum)
  await app.stop()
  const database = new Database(app.path)
  database.exec(`
    drop table _htap_log; drop table _htap_rowid_life;
    create table _htap_log(seq integer primary key, tbl, k);
    update _htap_meta set value = 1 where key = 'layout';
    update t set a = a + 1 where id < 50`)
  database.close()
  app.start()
  await app.expectSame([sum], 'at once')
  await app.untilRouted(sum)
  app.database.exec('update t set a = a + 1 where id < 50')
  await app.expectSame([sum], 'after a change')
  await app.expectEqual('t')
  const triggers = "select count(*) from sqlite_schema where type = 'trigger'"
  expect(app.database.prepare(triggers).pluck().get()).toBe(4)
})

it('leaves the log of a later version alone, and everything to SQLite', async () => {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(sum)
  await app.stop()
  const database = new Database(app.path)
  database.exec("update _htap_meta set value = 99 where key = 'layout'")
  database.close()
  app.start()
  const { routed } = app
  await app.expectSame([sum], 'at once')
  app.database.exec('update t set a = a + 1 where id < 50')
  await app.expectSame([sum], 'after a change')
  expect(app.routed).toBe(routed)
  const status = await htap(app.db).status()
  expect(status.state).toBe('failed')
  expect(status.lastError).toMatchObject({
    code: 'mirror-unavailable',
    message: expect.stringContaining('a newer version of this package keeps the change log'),
    facts: { reason: 'newer-log', layout: 99 },
  })
})
