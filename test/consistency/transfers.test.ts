import { join } from 'node:path'
import { Kysely } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, olap } from '../../dist/dialect/index.js'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

interface DB {
  account: { id: number; balance: number; owner: string }
}

// Money moves between accounts here and in a second process; whatever DuckDB reads meanwhile, the
// sum never changes unless a transaction was torn. HTAP_TRANSFERS sets how many move, half of
// them in either process.
const transfers = repetitions('HTAP_TRANSFERS', 3000)
const accounts = 500
const balance = 1000

it(`should never show a torn transaction during ${transfers} transfers`, async () => {
  const path = join(tempFolder(), 'bank.db')
  const db = new Kysely<DB>({ dialect: new HtapDialect({ database: path }) })
  onTestFinished(() => db.destroy())
  await db.schema
    .createTable('account')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('balance', 'integer', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.unique().notNull())
    .execute()
  await db
    .insertInto('account')
    .values(
      Array.from({ length: accounts }, (_, index) => ({
        id: index + 1,
        balance,
        owner: `owner ${index}`,
      })),
    )
    .execute()
  const sum = db.selectFrom('account').select((eb) => eb.fn.sum<number>('balance').as('total'))
  const latest = olap(sum, { consistency: 'latest' })
  await olap(sum).execute()

  const child = new Child('transfer-writer.mjs', [path, `${transfers / 2}`, `${accounts}`, '7'])
  let isRunning = true
  const readings: number[] = []
  const reader = (async () => {
    for (let index = 0; isRunning; index++) {
      const query = index % 2 === 0 ? olap(sum) : latest
      readings.push((await query.executeTakeFirstOrThrow()).total)
    }
  })()
  for (let index = 0; index < transfers / 2; index++) {
    // SQLite answers within the same turn of the event loop; without a pause nothing else would run.
    await new Promise((resolve) => setImmediate(resolve))
    await db.transaction().execute(async (trx) => {
      const amount = 1 + (index % 50)
      await trx
        .updateTable('account')
        .set((eb) => ({ balance: eb('balance', '-', amount) }))
        .where('id', '=', 1 + ((index * 7919) % accounts))
        .execute()
      await trx
        .updateTable('account')
        .set((eb) => ({ balance: eb('balance', '+', amount) }))
        .where('id', '=', 1 + ((index * 104_729) % accounts))
        .execute()
    })
  }
  expect(await child.nextLine()).toBe('done')
  isRunning = false
  await reader
  expect(readings.length).toBeGreaterThan(10)
  expect(readings.filter((total) => total !== accounts * balance)).toEqual([])
  expect((await htap(db).verify()).equal).toBe(true)
})
