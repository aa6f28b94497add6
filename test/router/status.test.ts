import { expect, it } from 'vitest'
import { type CopyProgress, htap } from '../../dist/dialect/index.js'
import { openShop, totals, untilMirrored } from '../support/shop.js'

it('should tell how everything stands, before the first query and after destroy too', async () => {
  const { db } = openShop()
  expect(await htap(db).status()).toMatchObject({ state: 'not-connected', tables: [] })
  await db.selectFrom('person').selectAll().limit(1).execute()
  expect(await htap(db).status()).toMatchObject({ state: 'idle', tables: [] })
  await untilMirrored(db, 'sale')
  await totals(db).execute()
  const status = await htap(db).status()
  expect(status).toMatchObject({ state: 'ready', lagChanges: 0, lagMs: 0, disabledRules: [] })
  expect(status.tables).toMatchObject([
    { table: 'sale', state: 'live', rows: 20_000, unreadableColumns: [], lastError: null },
  ])
  expect(status.routes.duckdb['cheaper on DuckDB']).toBe(1)
  expect(status.sizes?.fileBytes).toBeGreaterThan(10_000)
  await db.destroy()
  expect((await htap(db).status()).state).toBe('closed')
})

it('should report the progress of a first copy', async () => {
  const seen: CopyProgress[] = []
  const { db } = openShop({ sync: { onProgress: (progress) => seen.push(progress) } }, 300_000)
  await untilMirrored(db, 'sale')
  expect(seen.length).toBeGreaterThan(1)
  expect(seen[0]).toMatchObject({ table: 'sale', rowsTotal: 300_000, done: false })
  expect(seen.at(-1)).toMatchObject({ rows: 300_000, done: true, remainingMs: 0 })
})

it('should make a first copy though who watches its progress throws', async () => {
  const onProgress = () => {
    throw new Error('of the application')
  }
  const { db } = openShop({ sync: { onProgress } })
  await untilMirrored(db, 'sale')
  expect((await htap(db).status()).tables).toMatchObject([{ state: 'live', lastError: null }])
})

it('should rebuild a copy while the old one serves', async () => {
  const { db, events } = openShop()
  await untilMirrored(db, 'sale')
  const rebuilding = htap(db).rebuild('sale')
  await totals(db).execute()
  expect(events.at(-1)?.engine).toBe('duckdb')
  await rebuilding
  expect((await htap(db).verify({ tables: ['sale'] })).equal).toBe(true)
  await expect(htap(db).rebuild('nothing')).rejects.toMatchObject({
    code: 'table-unknown',
    message: expect.stringContaining('no copy of a table named nothing'),
  })
})
