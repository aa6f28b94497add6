// An audit trail: who changed what, what a row was at any time, the whole shop as it was before a mistake,
// undoing it, and forgetting what must be forgotten.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import {
  asOf,
  asOfTable,
  changes,
  diff,
  HtapDialect,
  history,
  htap,
  restoreTable,
  withActor,
} from 'kysely-htap'

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-audit-'))
const db = new Kysely({
  dialect: new HtapDialect({ database: join(folder, 'shop.db'), sync: { mode: 'temporal' } }),
})

const table = sql`create table product(id integer primary key, name text not null, price real not null)`
await table.execute(db)
await db
  .insertInto('product')
  .values([
    { id: 1, name: 'pen', price: 2.5 },
    { id: 2, name: 'ink', price: 12 },
    { id: 3, name: 'pad', price: 4 },
  ])
  .execute()
const before = { position: (await htap(db).settleHistory()).position }

await withActor(db, { actor: 'ada', message: 'new prices' }, async (trx) => {
  await trx.updateTable('product').set({ price: 3 }).where('id', '=', 1).execute()
  await trx.deleteFrom('product').where('id', '=', 3).execute()
})
await withActor(db, { actor: 'bob', message: 'a mistake' }, (trx) =>
  trx.updateTable('product').set({ price: 0 }).execute(),
)

console.log('Who changed the pen:')
for await (const { operation, actor, message, before: old, after } of changes(db, 'product', {
  from: before,
  where: { id: 1 },
})) {
  console.log(operation, actor, message, old?.price, after?.price)
}

console.log('All versions of the pen, with their periods:')
const life = await history(db)
  .selectFrom('product')
  .where('id', '=', 1)
  .select(['price', 'operation', 'valid_from', 'valid_to'])
  .orderBy('position')
  .execute()
console.table(life)

console.log('All products as they were before:')
console.table(await asOf(db, before).selectFrom('product').selectAll().execute())

console.log('What is cheaper now than it was then:')
const cheaper = await db
  .selectFrom('product as now')
  .innerJoin(asOfTable(db, 'product', before).as('old'), 'old.id', 'now.id')
  .whereRef('now.price', '<', 'old.price')
  .select(['now.name', 'old.price as before', 'now.price'])
  .execute()
console.table(cheaper)

console.log('All that differs, and undoing it:')
for await (const { difference, before: old, after } of diff(db, 'product', before, new Date())) {
  console.log(difference, old, after)
}
console.log(await restoreTable(db, 'product', { to: before }))

console.log('Two versions of each row are enough; then the pad is forgotten:')
console.log(await htap(db).retainHistory({ versionsPerKey: 2, dryRun: true }))
await htap(db).retainHistory({ versionsPerKey: 2 })
console.log(await htap(db).eraseHistory('product', { id: 3 }))

await db.destroy()
rmSync(folder, { recursive: true })
