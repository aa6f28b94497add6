import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { htap, olap, withConsistency } from '../../dist/dialect/index.js'
import { openShop, totals, untilMirrored } from '../support/shop.js'

const sale = { person_id: 1, amount: 1, day: 'x' }

it('strong should see commits of other processes that came before the query', async () => {
  const { db, database } = openShop()
  await untilMirrored(db, 'sale')
  const other = new Database(database.name)
  for (let n = 1; n <= 50; n++) {
    other.exec("insert into sale(person_id, amount, day) values (1, 1, 'x')")
    expect((await olap(totals(db)).executeTakeFirstOrThrow()).n).toBe(20_000 + n)
  }
  other.close()
})

it('session should see the writes of its own instance', async () => {
  const { db } = openShop({ consistency: 'session' })
  await untilMirrored(db, 'sale')
  for (let n = 1; n <= 50; n++) {
    await db.insertInto('sale').values(sale).execute()
    expect((await olap(totals(db)).executeTakeFirstOrThrow()).n).toBe(20_000 + n)
  }
})

it('maxStalenessMs should never show anything older', async () => {
  const { db } = openShop()
  await untilMirrored(db, 'sale')
  const bounded = olap(totals(db), { consistency: { maxStalenessMs: 0 } })
  for (let n = 1; n <= 20; n++) {
    await db.insertInto('sale').values(sale).execute()
    expect((await bounded.executeTakeFirstOrThrow()).n).toBe(20_000 + n)
  }
})

it('latest should not wait, and tell how far behind it was', async () => {
  const { db, events } = openShop()
  await untilMirrored(db, 'sale')
  await db.insertInto('sale').values(sale).execute()
  const latest = olap(totals(withConsistency(db, 'latest') as typeof db), { consistency: 'latest' })
  const { n } = await latest.executeTakeFirstOrThrow()
  expect([20_000, 20_001]).toContain(n)
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb', waitMs: 0 })
  await htap(db).syncNow()
  expect((await latest.executeTakeFirstOrThrow()).n).toBe(20_001)
})

it('should go to SQLite when the copy cannot catch up in time', async () => {
  const { db, database, events } = openShop({ sync: { waitTimeoutMs: 1 } })
  await untilMirrored(db, 'sale')
  database.exec('update sale set amount = amount + 1')
  const row = await totals(db).executeTakeFirstOrThrow()
  expect(row).toEqual(
    database.prepare('select sum(amount) as total, count(*) as n from sale').get(),
  )
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'the copy is behind' })
})
