import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { htap, olap } from '../../dist/dialect/index.js'
import { limits } from '../../dist/src/core/limits.js'
import { openShadowed, settled, tamper } from '../support/shadowed-shop.js'
import { totals, untilMirrored } from '../support/shop.js'
import { TestWorld } from '../support/test-world.js'

// What happens at the limits of shadow mode.

it('an answer with more rows than are compared is counted and left alone', async () => {
  const { db } = openShadowed({}, { routing: 'duckdb' }, limits.shadowRowsMax + 1)
  await untilMirrored(db, 'sale')
  const before = await settled(db)
  const each = (rows: number) =>
    sql`select id, count(*) as n from sale where id <= ${rows} group by id order by id`.execute(db)
  await each(limits.shadowRowsMax)
  expect(await settled(db)).toMatchObject({ equal: before.equal + 1 })
  await each(limits.shadowRowsMax + 1)
  const after = await settled(db)
  expect(after.equal).toBe(before.equal + 1)
  expect(after.skipped).toMatchObject({ 'too many rows': 1 })
})

it('a comparison gives up when the copy does not reach SQLite', async () => {
  const world = new TestWorld()
  const { db, database } = openShadowed({}, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const before = await settled(db)
  const waitMs = (limits.shadowAttemptsMax - 1) * limits.shadowWaitMs
  const release = world.holdChanges()
  database.exec('update sale set amount = 1')
  const startMs = performance.now()
  await olap(totals(db), { consistency: 'latest' }).execute()
  const after = await settled(db)
  expect(after.moved).toBe(before.moved + 1)
  expect(performance.now() - startMs).toBeGreaterThan(waitMs * 0.9)
  release()
  expect((await htap(db).verify()).equal).toBe(true)
})

it('a report shows a few rows, and the beginning of long values', async () => {
  const { db, mismatches } = openShadowed({}, { routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  await settled(db)
  const length = 2 * limits.shadowReportValueMax
  await tamper(db, `update sale set day = repeat('x', ${length})`)
  await sql`select id, day, x'00ff' as b, count(*) as n from sale group by id, day order by id`.execute(
    db,
  )
  await settled(db)
  const { reproduction } = mismatches[0]!
  const rows = reproduction.split('\n').filter((line) => /(?:SQLite|DuckDB) \d+: /.test(line))
  expect(rows).toHaveLength(2 * limits.shadowReportRowsMax)
  expect(reproduction).toContain(`... (${length + 2} characters)`)
  expect(reproduction).toContain('x'.repeat(limits.shadowReportValueMax - 1))
  expect(reproduction).not.toContain('x'.repeat(limits.shadowReportValueMax))
  expect(reproduction).toContain("b = x'00ff'")
})

it('when too many texts have differed, nothing goes to DuckDB any more', async () => {
  const { db, events } = openShadowed({}, { routing: 'duckdb' }, 10)
  await untilMirrored(db, 'sale')
  await settled(db)
  await tamper(db, 'update sale set amount = amount + 1')
  const ask = async (text: number) => {
    await sql`select sum(amount) as total from sale where id > ${sql.raw(String(-text))}`.execute(
      db,
    )
    return events.at(-1)!
  }
  const reason = 'quarantined: answers differed'
  for (let text = 1; text <= limits.quarantinedTextsMax; text++) {
    let { engine } = await ask(text)
    expect(engine).toBe('duckdb')
    while (engine === 'duckdb') {
      await new Promise((resolve) => setImmediate(resolve))
      engine = (await ask(text)).engine
    }
  }
  expect((await settled(db)).quarantined).toHaveLength(limits.quarantinedTextsMax)
  // Nobody has compared this one.
  expect(await ask(limits.quarantinedTextsMax + 1)).toMatchObject({ engine: 'sqlite', reason })
  expect(await htap(db).explain(totals(db))).toMatchObject({ engine: 'sqlite', reason })
})
