import { expect, it } from 'vitest'
import { htap, type RouteEvent } from '../../dist/dialect/index.js'
import { createItems, openShop, temporaryFile } from './shop.js'

it('answers from DuckDB after a write whose values read differently', async () => {
  const routes: RouteEvent[] = []
  const db = openShop({
    database: temporaryFile(),
    routing: 'duckdb',
    onRoute: (event) => routes.push(event),
  })
  await createItems(db, 100)
  const total = db.selectFrom('item').select((eb) => eb.fn.sum<number>('price').as('total'))
  expect(await total.execute()).toEqual([{ total: 4950 }])
  await htap(db).syncNow()
  // Sums of reals are exact within a bound that is part of the translation.
  await db.insertInto('item').values({ name: 'ship', price: 1e12 }).execute()
  expect(await total.execute()).toEqual([{ total: 1e12 + 4950 }])
  expect(routes.at(-1)).toMatchObject({ engine: 'duckdb' })
})
