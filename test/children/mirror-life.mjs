// The life of a database with a mirror, for `fault-sweep.mjs`.
import { sql } from 'kysely'
import { htap, olap, oltp } from 'kysely-htap'
import { insist } from './fault-checks.mjs'

const healMs = 20_000

/** A table with an own key and one without rowids: their mirror, their queries, DDL. */
export const mirrorLife = {
  options: { routing: 'duckdb' },
  sync: {},
  mayRefuseToOpen: false,
  begin: () => ({ live, heal }),
}

async function live(db, check) {
  // Every statement of the user must do what it does without a mirror, whatever fails beside it.
  await sql`create table a(id integer primary key, k text unique, n integer)`.execute(db)
  await sql`create table b(x integer, y text, z real, primary key (x, y)) without rowid`.execute(db)
  await sql`insert into a with recursive s(v) as (select 1 union all select v + 1 from s where v < 2500)
    select v, 'k' || v, v % 7 from s`.execute(db)
  await sql`insert into b select id, k, n / 8.0 from a limit 300`.execute(db)
  await ask(db, check)
  await insist(check, () => olap(count(db, 'a')).execute())
  await insist(check, () => olap(count(db, 'b')).execute())
  await ask(db, check)
  await db.transaction().execute(async (trx) => {
    await trx.updateTable('a').set({ n: 100 }).where('id', '<', 10).execute()
    await trx.deleteFrom('b').where('x', '<', 20).execute()
    await trx.insertInto('a').values({ k: 'new', n: 1 }).execute()
  })
  await ask(db, check)
  await trxThatFails(db)
  await sql`replace into a(id, k, n) values (99999, 'k7', 3)`.execute(db)
  await ask(db, check)
  await insist(check, () => htap(db).syncNow())
  await sql`insert into a(k, n) with recursive s(v) as (select 1 union all select v + 1 from s where v < 600)
    select 'm' || v, v % 3 from s`.execute(db)
  await insist(check, () => htap(db).syncNow())
  await ask(db, check)
  await insist(check, () => htap(db).rebuild('a'))
  await sql`alter table a add column extra text default 'none'`.execute(db)
  await ask(db, check)
  await sql`update a set extra = 'some' where id % 5 = 0`.execute(db)
  await insist(check, () => htap(db).verify()).then((report) => {
    check(report?.equal !== false, 'verify() says that the mirror differs')
  })
  await ask(db, check)
  await htap(db).status()
}

async function trxThatFails(db) {
  await db
    .transaction()
    .execute(async (trx) => {
      await trx.updateTable('a').set({ n: 55 }).execute()
      throw new Error('rolled back')
    })
    .catch(() => undefined)
}

function count(db, table) {
  return db.selectFrom(table).select((eb) => eb.fn.countAll().as('c'))
}

function queries(db) {
  return [
    db
      .selectFrom('a')
      .select((eb) => ['n', eb.fn.countAll().as('c'), eb.fn.max('k').as('k')])
      .groupBy('n')
      .orderBy('n'),
    db
      .selectFrom('b')
      .innerJoin('a', 'a.id', 'b.x')
      .select((eb) => [eb.fn.sum('b.z').as('s'), eb.fn.countAll().as('c')]),
  ]
}

async function ask(db, check) {
  for (const query of queries(db)) {
    const answer = JSON.stringify(await query.execute())
    const right = JSON.stringify(await oltp(query).execute())
    check(answer === right, `answer ${answer}, SQLite ${right}`)
  }
}

async function heal(db, check, when) {
  const deadline = performance.now() + healMs
  for (const table of ['a', 'b']) {
    for (;;) {
      try {
        await olap(count(db, table)).execute()
        break
      } catch (error) {
        if (performance.now() > deadline) {
          const status = await htap(db).status()
          check(false, `not healed ${when}: ${error.stack}\n${describe(status)}`)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }
  // The one call that fails may be among these.
  const report = (await insist(check, () => verified(db))) ?? (await verified(db))
  check(report.equal, `not equal ${when}`)
  const { state } = await htap(db).status()
  check(state === 'ready', `${state} ${when}`)
  await ask(db, check)
}

async function verified(db) {
  await htap(db).syncNow()
  return await htap(db).verify()
}

function describe({ state, lastError, tables }) {
  return `${state} ${lastError?.stack} ${JSON.stringify(tables.map((it) => [it.table, it.state, it.reason, String(it.lastError?.stack)]))}`
}
