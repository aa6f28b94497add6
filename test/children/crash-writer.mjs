// Checks that the mirror equals SQLite, says so, then writes, copies and aggregates until it is
// killed. Everything it does follows from its seed.
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap, oltp } from 'kysely-htap'

const [path, seed] = process.argv.slice(2)
const db = new Kysely({ dialect: new HtapDialect({ database: path, sync: { intervalMs: 5 } }) })

let state = Number(seed) >>> 0
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 4294967296) * below)
}

await sql`create table if not exists item(id integer primary key, k text unique, n integer, x real)`.execute(
  db,
)
await sql`create table if not exists line(a integer, b text, v real, primary key (a, b)) without rowid`.execute(
  db,
)
const count = (table) => db.selectFrom(table).select((eb) => eb.fn.countAll().as('n'))

await check()
console.log('equal')
await run()

async function check() {
  const deadline = Date.now() + 20_000
  for (const table of ['item', 'line']) {
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
  const report = await htap(db).verify()
  if (!report.equal || report.tables.length !== 2) {
    throw new Error(
      `mirror differs: ${JSON.stringify(report, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
    )
  }
  const items = db.selectFrom('item').selectAll().orderBy('id')
  const lines = db.selectFrom('line').selectAll().orderBy('a').orderBy('b')
  for (const query of [items, lines]) {
    const mirrored = JSON.stringify(await olap(query).execute())
    const stored = JSON.stringify(await oltp(query).execute())
    if (mirrored !== stored) throw new Error('rows differ')
  }
}

async function run() {
  for (;;) {
    const choice = random(100)
    if (choice < 5) {
      htap(db)
        .rebuild(random(2) === 0 ? 'item' : 'line')
        .catch(() => undefined)
    } else if (choice < 15) {
      await db
        .selectFrom('item')
        .select((eb) => eb.fn.sum('n').as('s'))
        .execute()
    } else if (choice < 20) {
      await db
        .insertInto('item')
        .values(items(2000))
        .onConflict((oc) => oc.doNothing())
        .execute()
    } else {
      await db.transaction().execute(async (trx) => {
        for (let step = random(4); step >= 0; step--) await write(trx)
      })
    }
  }
}

function items(length) {
  return Array.from({ length }, () => ({
    k: `k${random(1_000_000)}`,
    n: random(1000),
    x: random(1000) / 8,
  }))
}

async function write(trx) {
  switch (random(6)) {
    case 0:
      return trx
        .replaceInto('item')
        .values({ k: `k${random(1_000_000)}`, n: random(10), x: 1.5 })
        .execute()
    case 1:
      return trx
        .updateTable('item')
        .set((eb) => ({ n: eb('n', '+', 1) }))
        .where('n', '=', random(1000))
        .execute()
    case 2:
      return trx.deleteFrom('item').where('n', '=', random(1000)).execute()
    case 3:
      return trx
        .replaceInto('line')
        .values({ a: random(50), b: `b${random(50)}`, v: random(100) / 4 })
        .execute()
    case 4:
      return trx.deleteFrom('line').where('a', '=', random(50)).execute()
    default:
      return trx
        .insertInto('item')
        .values(items(20))
        .onConflict((oc) => oc.column('k').doUpdateSet({ n: 1 }))
        .execute()
  }
}
