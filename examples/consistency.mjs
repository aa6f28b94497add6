// How fresh an answer must be: for an instance, or for one query.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import { HtapDialect, htap, olap, withConsistency } from 'kysely-htap'

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
const path = join(folder, 'counter.db')
const waits = []
const db = new Kysely({
  dialect: new HtapDialect({
    database: path,
    routing: 'duckdb',
    onRoute: ({ engine, waitMs }) => engine === 'duckdb' && waits.push(waitMs),
  }),
})
await db.schema
  .createTable('click')
  .addColumn('id', 'integer', (column) => column.primaryKey())
  .addColumn('page', 'text')
  .execute()
await db.insertInto('click').values({ page: 'start' }).execute()

const count = db.selectFrom('click').select((eb) => eb.fn.countAll().as('clicks'))
const clicks = async (query) => (await query.executeTakeFirstOrThrow()).clicks

// `strong`, the default, sees everything that was committed before, by anyone.
assert.equal(await clicks(count), 1)
const other = new Database(path)
const click = other.prepare('insert into click (page) values (?)')
let expected = 1
for (let i = 0; i < 100; i++) {
  click.run(`page ${i}`)
  expected += 1
  assert.equal(await clicks(olap(count)), expected)
}
console.log(`strong: 100 of 100 answers saw the commit of another connection, ${summary()}`)

// `session` sees everything that this Kysely instance has committed.
for (let i = 0; i < 100; i++) {
  await db
    .insertInto('click')
    .values({ page: `mine ${i}` })
    .execute()
  expected += 1
  assert.equal(await clicks(withConsistency(count, 'session')), expected)
}
console.log(`session: 100 of 100 answers saw the commit of this instance, ${summary()}`)

// A dashboard may be satisfied with half a second ago and does not wait.
click.run('late')
expected += 1
const recent = await clicks(withConsistency(count, { maxStalenessMs: 500 }))
assert.ok(recent === expected || recent === expected - 1)
console.log(`maxStalenessMs: ${expected - recent} behind, ${summary()}`)

// `latest` takes whatever is applied.
const latest = await clicks(withConsistency(count, 'latest'))
assert.ok(latest <= expected)
console.log(`latest: ${expected - latest} behind, ${summary()}`)

await htap(db).syncNow()
assert.equal((await htap(db).status()).lagChanges, 0)

other.close()
await db.destroy()
rmSync(folder, { recursive: true })

function summary() {
  const sorted = waits.splice(0).sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]
  return `waiting ${median?.toFixed(1) ?? 0} ms in the median`
}
