// Proves that nothing acknowledged is lost and that the mirror equals SQLite, says so, then writes,
// copies, aggregates, opens and closes until it is killed. Everything follows from its seed.
//
// Arguments: path, seed, the number of the last transaction whose end was acknowledged before.
// Lines: `healthy <last transaction>`, then `ack <transaction>` after each commit.
import { rmSync, writeSync } from 'node:fs'
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap, oltp } from 'kysely-htap'

const [path, seed, acknowledged] = process.argv.slice(2)
const say = (line) => writeSync(1, `${line}\n`)
const tables = ['ledger', 'account', 'item', 'line']
const accounts = 40
const balance = 1000

let state = Number(seed) >>> 0
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 4294967296) * below)
}

const open = () =>
  new Kysely({ dialect: new HtapDialect({ database: path, sync: { intervalMs: 5 } }) })
let db = open()
await createTables()
let last = await check()
say(`healthy ${last}`)
for (;;) {
  await cycle()
}

async function createTables() {
  await db.transaction().execute(async (trx) => {
    for (const definition of [
      'ledger(id integer primary key, label text unique, amount integer)',
      'account(id integer primary key, balance integer)',
      'item(id integer primary key, k text unique, n integer, x real)',
      'line(a integer, b text, v real, primary key (a, b)) without rowid',
    ]) {
      await sql.raw(`create table if not exists ${definition}`).execute(trx)
    }
    await sql`insert or ignore into account with recursive s(v) as (
      select 1 union all select v + 1 from s where v < ${accounts})
      select v, ${balance} from s`.execute(trx)
  })
}

async function check() {
  const deadline = Date.now() + 30_000
  for (const table of tables) {
    for (;;) {
      try {
        await olap(count(table)).execute()
        break
      } catch (error) {
        if (Date.now() > deadline) throw error
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }
  await htap(db).syncNow()
  const { rows } = await sql`pragma integrity_check`.execute(db)
  expectEqual(rows, [{ integrity_check: 'ok' }], 'integrity')
  const report = await htap(db).verify({ tables })
  expectEqual(report.equal, true, 'checksums')
  expectEqual(report.tables.length, tables.length, 'verified tables')
  for (const query of queries()) {
    expectEqual(await olap(query).execute(), await oltp(query).execute(), query.compile().sql)
  }
  const ledger = await olap(db.selectFrom('ledger').selectAll().orderBy('id')).execute()
  ledger.forEach((row, index) => {
    expectEqual(row, entry(index + 1), 'an entry of the ledger')
  })
  if (ledger.length < Number(acknowledged) || ledger.length > Number(acknowledged) + 1) {
    throw new Error(`${ledger.length} transactions, acknowledged ${acknowledged}`)
  }
  const [sum] = await olap(
    db.selectFrom('account').select((eb) => eb.fn.sum('balance').as('s')),
  ).execute()
  expectEqual(sum.s, accounts * balance, 'the sum of all balances')
  const status = await htap(db).status()
  expectEqual([status.state, status.lagChanges, status.lastError], ['ready', 0, null], 'status')
  for (const table of status.tables.filter((it) => tables.includes(it.table))) {
    expectEqual([table.state, table.lastError], ['live', null], `status of ${table.table}`)
  }
  return ledger.length
}

function queries() {
  return [
    db.selectFrom('item').selectAll().orderBy('id'),
    db.selectFrom('line').selectAll().orderBy('a').orderBy('b'),
    db
      .selectFrom('item')
      .select((eb) => ['n', eb.fn.countAll().as('c'), eb.fn.sum('x').as('s')])
      .groupBy('n')
      .orderBy('n'),
  ]
}

function expectEqual(actual, expected, what) {
  const text = (value) => JSON.stringify(value, (_, it) => (it instanceof Error ? it.stack : it))
  if (text(actual) !== text(expected)) {
    throw new Error(
      `${what}: ${text(actual).slice(0, 2000)}, expected ${text(expected).slice(0, 2000)}`,
    )
  }
}

function count(table) {
  return db.selectFrom(table).select((eb) => eb.fn.countAll().as('n'))
}

function entry(id) {
  return { id, label: `transaction ${id}`, amount: 1 + ((id * 7919) % 50) }
}

/** Comes by every fail point, the rare ones included, in about half a second. */
async function cycle() {
  for (let step = random(6); step >= 0; step--) {
    await transact()
  }
  const rebuild = htap(db)
    .rebuild(tables[random(tables.length)])
    .catch(() => undefined)
  await sql`create table if not exists extra(id integer primary key, v)`.execute(db)
  await sql`insert into extra(v) values (1), ('two'), (3.5)`.execute(db)
  await olap(count('extra'))
    .execute()
    .catch(() => undefined)
  // More than the log may hold before it is shortened, and than is read on the main thread.
  await sql`update ledger set amount = amount where id <= ${last}`.execute(db)
  await sql`insert or replace into item(id, k, n, x) with recursive s(v) as (
    select 1 union all select v + 1 from s where v < 6000)
    select v, 'k' || ((v * 31 + ${random(1000)}) % 9000), v % 17, v / 8.0 from s`.execute(db)
  await transact()
  await queries()[2].execute()
  if (random(2) === 0) {
    await rebuild
  }
  if (random(2) === 0) {
    await htap(db).syncNow()
  }
  await sql`drop table extra`.execute(db)
  await transact()
  if (random(2) === 0) {
    await db.destroy()
    if (random(2) === 0) {
      rmSync(`${path}-htap.duckdb`, { force: true })
      rmSync(`${path}-htap.duckdb.wal`, { force: true })
    }
    db = open()
    await count('ledger').execute()
    for (const table of tables) {
      await olap(count(table))
        .execute()
        .catch(() => undefined)
    }
  }
}

async function transact() {
  const id = last + 1
  const { amount } = entry(id)
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('ledger').values(entry(id)).execute()
    const move = (account, delta) =>
      trx
        .updateTable('account')
        .set((eb) => ({ balance: eb('balance', '+', delta) }))
        .where('id', '=', account)
        .execute()
    await move(1 + random(accounts), -amount)
    await sql`savepoint aside`.execute(trx)
    await write(trx)
    if (random(3) === 0) {
      await sql`rollback to aside`.execute(trx)
    }
    await sql`release aside`.execute(trx)
    await move(1 + random(accounts), amount)
  })
  last = id
  say(`ack ${id}`)
}

function write(trx) {
  const k = `k${random(9000)}`
  switch (random(6)) {
    case 0:
      return trx
        .replaceInto('item')
        .values({ k, n: random(17), x: 1.5 })
        .execute()
    case 1:
      return sql`update item set n = n + 1 where n = ${random(17)} and id % 10 = 3`.execute(trx)
    case 2:
      return trx
        .deleteFrom('item')
        .where('id', '>', 5000 + random(1000))
        .execute()
    case 3:
      return trx
        .replaceInto('line')
        .values({ a: random(50), b: `b${random(50)}`, v: random(100) / 4 })
        .execute()
    case 4:
      return trx.deleteFrom('line').where('a', '=', random(50)).execute()
    default:
      return sql`insert into item(k, n, x) values (${k}, 1, 2.5) on conflict(k) do update set
        n = 2, id = ${7000 + random(100)} where not exists (select 1 from item where id >= 7000)`.execute(
        trx,
      )
  }
}
