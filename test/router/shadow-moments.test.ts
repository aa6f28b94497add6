import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { findDifference } from '../../dist/dialect/router/shadow/difference.js'
import { engineOf } from '../support/engine-of.js'
import { openShadowed, perDay, settled, tamper } from '../support/shadowed-shop.js'
import { untilMirrored } from '../support/shop.js'
import { TestWorld } from '../support/test-world.js'

// Branches of shadow mode that only odd moments lead into.

it('should tell the plan that the order of the rows was read off', async () => {
  const { db, mismatches } = openShadowed({}, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  await settled(db)
  await tamper(db, 'update sale set amount = 0 where id = 7')
  await sql`select person_id, sum(amount) as total from sale group by person_id`.execute(db)
  await settled(db)
  expect(mismatches).toHaveLength(1)
  expect(mismatches[0]!.reproduction).toMatch(/SCAN sale/)
})

it('should compare again when a copy is replaced while DuckDB answers again', async () => {
  const world = new TestWorld()
  const { db, database, mismatches } = openShadowed({}, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const before = await settled(db)
  let changes = 0
  const rows = await perDay(db).execute()
  // The first comparison finds this; the second meets a change of the schema.
  rows[3]!.total = -1
  world.onDuckDb = (name, text) => {
    if (name === 'query' && /group by/i.test(text) && changes === 0) {
      changes++
      database.exec('create table other(id)')
      void engineOf(db).checkSchema()
    }
  }
  const after = await settled(db)
  expect(changes).toBe(1)
  expect(after).toMatchObject({ unrepeated: before.unrepeated + 1, mismatched: 0 })
  expect(mismatches).toEqual([])
})

it('should skip an answer that has grown too long meanwhile', async () => {
  const { db, database, mismatches } = openShadowed({ maxRows: 9 }, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const before = await settled(db)
  expect(await perDay(db).execute()).toHaveLength(9)
  database.exec("insert into sale(person_id, amount, day) values (1, 1, 'new')")
  const after = await settled(db)
  expect(after.skipped['too many rows']).toBe((before.skipped['too many rows'] ?? 0) + 1)
  expect(mismatches).toEqual([])
})

it('should skip an answer when DuckDB fails to give it again, and say so', async () => {
  const world = new TestWorld()
  const { db, mismatches } = openShadowed({}, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  await settled(db)
  const rows = await perDay(db).execute()
  rows[3]!.total = -1
  world.onDuckDb = (name, text) => {
    if (name === 'query' && /group by/i.test(text)) {
      throw new Error('Invalid Input Error: of the test')
    }
  }
  const after = await settled(db)
  world.onDuckDb = () => undefined
  expect(after.skipped).toMatchObject({ failed: 1 })
  expect(mismatches).toEqual([])
  expect(String((await htap(db).status()).lastError)).toContain('of the test')
})

it('should tell rows of other columns from each other', () => {
  expect(findDifference([{ a: 1, b: 2 }], [{ a: 1, c: 2 }])).toEqual({
    kind: 'columns',
    row: 0,
    sqliteColumns: ['a', 'b'],
    duckdbColumns: ['a', 'c'],
  })
  expect(findDifference([{ a: 0 }], [{ a: -0 }])).toMatchObject({ kind: 'value', column: 'a' })
})
