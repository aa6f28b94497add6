// People and what they bought: the whole of kysely-htap in one file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
const db = new Kysely({
  dialect: new HtapDialect({
    database: join(folder, 'shop.db'),
    onRoute: ({ engine, reason, durationMs }) =>
      console.log(`  (${engine}: ${reason}, ${durationMs.toFixed(1)} ms)`),
  }),
})

await db.schema
  .createTable('person')
  .addColumn('id', 'integer', (column) => column.primaryKey())
  .addColumn('name', 'text', (column) => column.notNull())
  .execute()
await db.schema
  .createTable('sale')
  .addColumn('id', 'integer', (column) => column.primaryKey())
  .addColumn('person_id', 'integer', (column) => column.notNull().references('person.id'))
  .addColumn('amount', 'real', (column) => column.notNull())
  .execute()

const names = ['Ada', 'Blaise', 'Charles', 'Dorothy', 'Edsger']
await db
  .insertInto('person')
  .values(names.map((name) => ({ name })))
  .execute()
await db.transaction().execute(async (trx) => {
  for (let first = 0; first < 100_000; first += 1000) {
    const sales = Array.from({ length: 1000 }, (_, i) => ({
      person_id: 1 + ((first + i) % names.length),
      amount: ((first + i) % 997) / 4,
    }))
    await trx.insertInto('sale').values(sales).execute()
  }
})

const totals = db
  .selectFrom('sale')
  .innerJoin('person', 'person.id', 'sale.person_id')
  .select((eb) => ['person.name', eb.fn.countAll().as('sales'), eb.fn.sum('amount').as('total')])
  .groupBy('person.name')
  .orderBy('total', 'desc')

// The first need of a table asks for its copy; SQLite answers until it is there.
console.log('Totals, from SQLite:')
console.table(await totals.execute())
while ((await htap(db).status()).tables.some((table) => table.state === 'copying')) {
  await new Promise((resolve) => setTimeout(resolve, 20))
}
console.log('Totals, from DuckDB:')
console.table(await totals.execute())

await db.insertInto('sale').values({ person_id: 1, amount: 1_000_000 }).execute()
console.log('After one more sale, at once:')
console.table(await totals.limit(1).execute())

console.log('One person by key, from SQLite:')
console.table(await db.selectFrom('person').selectAll().where('id', '=', 1).execute())

const { state, position, lagChanges, tables } = await htap(db).status()
console.log({ state, position, lagChanges })
console.table(tables.map(({ table, state, rows }) => ({ table, state, rows })))

await db.destroy()
rmSync(folder, { recursive: true })
