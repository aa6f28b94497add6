// An audit trail: who changed what, what a row was at any time, and the whole shop as it was before a mistake.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { asOf, asOfTable, HtapDialect, history, htap } from 'kysely-htap'

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-audit-'))
const db = new Kysely({
  dialect: new HtapDialect({ database: join(folder, 'shop.db'), sync: { mode: 'temporal' } }),
})

await sql`create table product(id integer primary key, name text not null, price real not null)`.execute(
  db,
)
await db
  .insertInto('product')
  .values([
    { id: 1, name: 'pen', price: 2.5 },
    { id: 2, name: 'ink', price: 12 },
    { id: 3, name: 'pad', price: 4 },
  ])
  .execute()
const before = await htap(db).settleHistory()

await db.updateTable('product').set({ price: 3 }).where('id', '=', 1).execute()
await db.deleteFrom('product').where('id', '=', 3).execute()
await db.updateTable('product').set({ price: 0 }).execute() // a mistake

console.log('\nThe life of the pen:')
const life = await history(db)
  .selectFrom('product')
  .where('id', '=', 1)
  .select(['price', 'operation', 'valid_from', 'valid_to'])
  .orderBy('position')
  .execute()
console.table(life)

console.log('All products as they were before:')
console.table(
  await asOf(db, { position: before.position }).selectFrom('product').selectAll().execute(),
)

console.log('What is cheaper now than it was then:')
const cheaper = await db
  .selectFrom('product as now')
  .innerJoin(asOfTable(db, 'product', { position: before.position }).as('old'), 'old.id', 'now.id')
  .whereRef('now.price', '<', 'old.price')
  .select(['now.name', 'old.price as before', 'now.price'])
  .execute()
console.table(cheaper)

console.log('What is gone:')
console.table(
  await history(db, { deleted: true })
    .selectFrom('product')
    .where('operation', '=', 'D')
    .select(['id', 'valid_from'])
    .execute(),
)

await db.destroy()
rmSync(folder, { recursive: true })
