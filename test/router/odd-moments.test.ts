import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, withConsistency } from '../../dist/dialect/index.js'
import { perDay, settled } from '../support/shadowed-shop.js'
import { fillShop, openShop, type ShopDB, totals, untilMirrored } from '../support/shop.js'
import { TestWorld } from '../support/test-world.js'

// Branches of the router that only odd moments lead into.

it('should answer from a copy that is behind, but not for too long', async () => {
  // Nobody looks for changes but who asks for them.
  const sync = { intervalMs: 3_600_000 }
  const { db, database, events } = openShop({ routing: 'duckdb', sync }, 50)
  await untilMirrored(db, 'sale')
  await htap(db).syncNow()
  database.exec('delete from sale where id > 10')
  const stale = withConsistency(db, { maxStalenessMs: 3_600_000 })
  expect(await totals(stale).execute()).toMatchObject([{ n: 50 }])
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb', waitMs: 0 })
  const fresh = withConsistency(db, { maxStalenessMs: 0 })
  expect(await totals(fresh).execute()).toMatchObject([{ n: 10 }])
})

it('should take a search of an index for cheap', async () => {
  const { db } = openShop()
  await untilMirrored(db, 'sale')
  const estimateOf = async (text: string) => {
    const query = sql.raw(text).compile(db)
    return (await htap(db).explain({ compile: () => query })).estimate!.sqliteMs
  }
  const few = await estimateOf('select sum(amount) from sale where person_id = 7')
  const many = await estimateOf('select sum(amount) from sale where person_id > 7')
  const all = await estimateOf('select sum(amount) from sale')
  expect(few).toBeLessThan(many)
  expect(many).toBeLessThan(all)
})

it('should let SQLite answer when the way to DuckDB fails, and say why', async () => {
  const world = new TestWorld()
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  database.exec('create table other(id)')
  world.onExec = (text) => {
    if (text === 'begin') {
      throw new Error('of the test')
    }
  }
  expect(await totals(db).execute()).toMatchObject([{ n: 50 }])
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'the way to DuckDB failed' })
  expect((await htap(db).status()).lastError).toMatchObject({ message: 'of the test' })
  world.onExec = () => undefined
  await totals(db).execute()
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
})

it('should be closed inside of a transaction that nobody ends', async () => {
  const database = new Database(':memory:')
  fillShop(database, 50)
  const shadow = { sampleRate: 1 }
  const db = new Kysely<ShopDB>({
    dialect: new HtapDialect({ database, routing: 'duckdb', shadow }),
  })
  onTestFinished(() => db.destroy())
  await untilMirrored(db, 'sale')
  await settled(db)
  // The application begins it on its own instance, and this is compared in the middle of it.
  await perDay(db).execute()
  database.exec('begin; delete from sale')
  const syncing = expect(htap(db).syncNow()).rejects.toMatchObject({
    code: 'closed',
    message: expect.stringContaining('the database is being closed inside of a transaction'),
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  await db.destroy()
  await syncing
  expect(database.open).toBe(false)
})
