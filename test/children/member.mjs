// A process that has a database open with this package and does what it is told, a line at a time.
import { createInterface } from 'node:readline'
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap } from '../../dist/dialect/index.js'

const [path, config] = process.argv.slice(2)
const dialect = new HtapDialect({ database: path, ...JSON.parse(config ?? '{}') })
const db = new Kysely({ dialect })
const totals = db
  .selectFrom('sale')
  .select((eb) => [eb.fn.sum('amount').as('total'), eb.fn.countAll().as('n')])

const orders = {
  totals: () => totals.executeTakeFirst(),
  fromDuckDb: () => olap(totals).executeTakeFirst(),
  write: () => sql`insert into sale(amount) values (2.5)`.execute(db),
  verify: () => htap(db).verify(),
  migrate: async () => {
    const { Migrator } = await import('kysely/migration').catch(() => import('kysely'))
    const up = (schema) =>
      schema.schema
        .alterTable('sale')
        .addColumn('note', 'text', (column) => column.defaultTo('new'))
        .execute()
    const provider = { getMigrations: async () => ({ first: { up } }) }
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest()
    if (error) throw error
    return results.length
  },
  status: async () => {
    const { state, path: copy, lastError, tables } = await htap(db).status()
    const reason = lastError?.facts?.reason ?? null
    return { state, path: copy, reason, tables: tables.map((it) => `${it.table} ${it.state}`) }
  },
  leave: async () => {
    await db.destroy()
    setImmediate(() => process.exit(0))
  },
}

await sql`select 1`.execute(db)
console.log('"open"')
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const answer = (await orders[line]()) ?? null
    console.log(
      JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    )
  } catch (error) {
    console.log(JSON.stringify({ error: error.code, reason: error.facts?.reason ?? null }))
  }
}
