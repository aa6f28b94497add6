import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { MirroredApp } from '../support/mirrored-app.js'
import { tempFolder } from '../support/temp-folder.js'

const setup = `
  create table t(id integer primary key, a integer, b text);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5) from s`

const queries = [
  'select *, count(*) over () as n from t order by id',
  'select sum(a) as a, count(*) as n from t',
]

it('a connection that has the database attached is captured, its schema changes too', async () => {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  const other = new Database(':memory:')
  other.exec('create table t(id integer primary key); insert into t values (1)')
  other.prepare('attach ? as shop').run(app.path)
  for (const step of [
    'update shop.t set a = a + 1 where id < 30; delete from shop.t where id > 290; delete from t',
    'alter table shop.t add column c integer default 4',
    'insert into shop.t(a, c) values (1, 1)',
    'drop table t',
    'insert into t(a, c) values (2, 2)',
    'alter table shop.t rename column c to d',
    'drop table shop.t; create table shop.t(id integer primary key, a integer, z text)',
    "insert into shop.t values (1, 2, 'z')",
  ]) {
    await app.changeBeside(queries, `during ${step}`, () => void other.exec(step))
    await app.expectSame(queries, `after ${step}`)
  }
  other.close()
  await app.untilRouted(queries[0]!)
  await app.expectEqual('t')
  await app.expectHealthy()
})

it('a database that the application attaches is never taken for its own', async () => {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  const path = join(tempFolder(), 'attached.db')
  const other = new Database(path)
  other.exec(`create table t(id integer primary key, a integer); insert into t values (1, 1000);
    create table only(id integer primary key, a integer); insert into only values (1, 7)`)
  other.close()
  app.database.prepare('attach ? as side').run(path)
  const right = (text: string) => app.database.prepare(text).all()
  for (const text of [
    ...queries,
    'select sum(a) as a from side.t',
    'select sum(a) as a from only',
    'select sum(x.a + y.a) as a from t x join side.t y on x.id = y.id',
  ]) {
    expect({ text, rows: await app.ask(text) }).toEqual({ text, rows: right(text) })
  }
  app.database.exec('alter table side.t add column b text; drop table side.only')
  app.database.exec(
    'create table only(id integer primary key, a integer); insert into only values (1, 8)',
  )
  for (const text of [...queries, 'select sum(a) as a from only']) {
    expect({ text, rows: await app.ask(text) }).toEqual({ text, rows: right(text) })
  }
  app.database.exec('detach side')
  await app.expectSame(queries, 'afterwards')
  await app.untilRouted(queries[1]!)
  await app.expectEqual(...(await copied(app)))
})

it('a temporary table hides a copied one only where it is', async () => {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  const right = (text: string) => app.database.prepare(text).all()
  app.database.exec(
    'create temp table t(id integer primary key, a integer); insert into t values (9, 9)',
  )
  for (const text of queries) {
    expect({ text, rows: await app.ask(text) }).toEqual({ text, rows: right(text) })
  }
  app.database.exec('insert into main.t(a) values (5); update t set a = 10; drop table temp.t')
  await app.expectSame(queries, 'afterwards')
  await app.untilRouted(queries[0]!)
  await app.expectEqual('t')
})

async function copied(app: MirroredApp): Promise<string[]> {
  await app.untilRouted(queries[0]!)
  return app.routed > 0 && (await app.ask('select sum(a) as a from only')) ? ['only', 't'] : ['t']
}
