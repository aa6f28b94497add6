import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Generated, Kysely } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, olap, type RouteEvent } from '../../dist/dialect/index.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

interface DB {
  event: { id: Generated<number>; writer: number; value: number }
}

// Writes and then aggregates, while two other writers keep the change log busy: every aggregate
// must contain the write before it. HTAP_ROUNDS sets the number of rounds.
const rounds = repetitions('HTAP_ROUNDS', 400)

it(`should never answer with a stale row in ${rounds} rounds of write then aggregate`, async () => {
  const path = join(tempFolder(), 'strong.db')
  const events: RouteEvent[] = []
  const db = new Kysely<DB>({
    dialect: new HtapDialect({ database: path, onRoute: (event) => events.push(event) }),
  })
  onTestFinished(() => db.destroy())
  await db.schema
    .createTable('event')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('writer', 'integer', (column) => column.notNull())
    .addColumn('value', 'integer', (column) => column.notNull())
    .execute()
  await db.insertInto('event').values({ writer: 0, value: 0 }).execute()
  const sums = olap(
    db
      .selectFrom('event')
      .where('writer', '=', 1)
      .select((eb) => [eb.fn.sum<number>('value').as('total'), eb.fn.countAll<number>().as('n')]),
  )
  await waitForMirror(db)

  let isRunning = true
  const foreign = new Database(path, { timeout: 30_000 })
  const others = [
    (async () => {
      while (isRunning) {
        await db
          .insertInto('event')
          .values([
            { writer: 2, value: 1 },
            { writer: 2, value: 2 },
          ])
          .execute()
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })(),
    (async () => {
      const insert = foreign.prepare('insert into event(writer, value) values (3, 1)')
      while (isRunning) {
        insert.run()
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })(),
  ]
  let total = 0
  let stale = 0
  events.length = 0
  for (let round = 1; round <= rounds; round++) {
    await db.insertInto('event').values({ writer: 1, value: round }).execute()
    total += round
    const row = await sums.executeTakeFirstOrThrow()
    if (row.total !== total || row.n !== round) {
      stale++
    }
  }
  isRunning = false
  await Promise.all(others)
  foreign.close()
  expect(stale).toBe(0)
  expect(events.filter((event) => event.engine === 'duckdb')).toHaveLength(rounds)
  expect((await htap(db).verify()).equal).toBe(true)
})

async function waitForMirror(db: Kysely<DB>): Promise<void> {
  const deadline = Date.now() + 20_000
  for (;;) {
    try {
      await olap(db.selectFrom('event').select((eb) => eb.fn.countAll().as('n'))).execute()
      return
    } catch (error) {
      if (Date.now() > deadline) {
        throw error
      }
    }
  }
}
