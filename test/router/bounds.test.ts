import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { BoundedMap } from '../../dist/dialect/router/bounded-map.js'
import { limits } from '../../dist/src/core/limits.js'
import { openShop, untilMirrored } from '../support/shop.js'

// What happens at the limits of the router; docs/limits.md has them all.

it('a cache forgets what was not used for longest, and nothing else', () => {
  const cache = new BoundedMap<number, string>(4)
  for (const key of [1, 2, 3, 4]) {
    cache.set(key, `value ${key}`)
  }
  expect(cache.get(1)).toBe('value 1')
  cache.set(5, 'value 5')
  expect([1, 2, 3, 4, 5].filter((key) => cache.get(key) !== undefined)).toEqual([1, 3, 4, 5])
})

it('more texts than the caches hold change no answer', async () => {
  const { db } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const count = limits.translationCacheEntriesMax + 20
  for (let text = 0; text < count; text++) {
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from sale where id > ${sql.raw(String(-1 - text))}`.execute(db)
    expect(rows).toEqual([{ n: 50 }])
  }
  const { routes } = await htap(db).status()
  expect(routes.duckdb['proven equal']).toBeGreaterThanOrEqual(count)
})

it('views in views stay on SQLite from a depth on', async () => {
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  database.exec('create view v0 as select amount from sale')
  const depth = limits.viewDepthMax + 3
  for (let view = 1; view <= depth; view++) {
    database.exec(`create view v${view} as select amount from v${view - 1}`)
  }
  await untilMirrored(db, 'sale')
  for (const [view, engine] of [
    [3, 'duckdb'],
    [depth, 'sqlite'],
  ] as const) {
    const { rows } = await sql`select count(*) as n from ${sql.table(`v${view}`)}`.execute(db)
    expect(rows).toEqual([{ n: 50 }])
    expect(events.at(-1)?.engine).toBe(engine)
  }
})
