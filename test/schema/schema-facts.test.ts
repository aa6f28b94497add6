import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { MirroredApp } from '../support/mirrored-app.js'

// What SQLite said of a query is remembered only as long as it is true.

const setup = `
  create table t(id integer primary key, a integer, b text);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5) from s`

it('names columns as they are called after another connection has renamed one', async () => {
  const app = await MirroredApp.open(setup)
  const query = 'select *, count(*) over () as n from t order by id'
  await app.untilRouted(query)
  const other = new Database(app.path)
  for (const [from, to] of [
    ['b', 'bb'],
    ['a', 'b'],
    ['bb', 'a'],
  ]) {
    other.exec(`alter table t rename column ${from} to ${to}`)
    await app.expectSame([query], `${from} to ${to}, at once`)
    await app.untilRouted(query)
    await app.expectSame([query], `${from} to ${to}, from DuckDB`)
  }
  other.close()
  await app.expectHealthy()
})

it('forgets what it saw of a transaction that was rolled back', async () => {
  const app = await MirroredApp.open(setup)
  const queries = [
    'select sum(n) as n from v',
    'select *, count(*) over () as n from t order by id',
  ]
  await app.untilRouted(queries[1]!)
  let beside: Promise<unknown> = Promise.resolve()
  await app.db
    .transaction()
    .execute(async (trx) => {
      await sql`create view v as select a * 2 as n from t`.execute(trx)
      await sql`alter table t add column x integer default 1`.execute(trx)
      // Others see nothing of it, and what they ask must not be remembered for the next schema.
      await app.expectSame(queries.slice(1), 'beside the transaction')
      // Waits for the end of the transaction, as with one connection, to learn that there is no view.
      beside = app.ask(queries[0]!)
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Error('undone')
    })
    .catch((error: unknown) => expect(String(error)).toContain('undone'))
  expect(await beside).toContain('no such table: v')
  // The schema gets the number that it had in the transaction.
  app.database.exec(
    'create view v as select a * 3 as n from t; alter table t add column y integer default 2',
  )
  await app.expectSame(queries, 'afterwards')
  await app.untilRouted(queries[0]!)
  await app.expectSame(queries, 'from DuckDB')
  await app.expectHealthy()
})

it('reads a view and its tables as of one moment when a transaction changes both', async () => {
  const app = await MirroredApp.open(`${setup}; create view v as select sum(a) as n from t`)
  const query = 'select n, count(*) as k from v group by n'
  await app.untilRouted(query)
  const other = new Database(app.path)
  for (let round = 1; round <= 40; round++) {
    // Something that the query has to wait for, so that there is a time between asking and reading.
    other.exec('update t set a = a + 1 where id < 9')
    const before = await app.askStock(query)
    const given = app.ask(query)
    for (let turn = 0; turn < round; turn++) {
      await Promise.resolve()
    }
    other.exec(`begin; update t set a = a + ${round};
      drop view v; create view v as select sum(a) + ${round} * 1000000 as n from t; commit`)
    const after = await app.askStock(query)
    expect([before, after], `after ${round} turns`).toContainEqual(await given)
  }
  other.close()
})
