// Reads in shadow mode and ends without `destroy()`, while a comparison is on its way.
import { Kysely, sql } from 'kysely'
import { HtapDialect } from '../../dist/dialect/index.js'

const [, , path] = process.argv
const db = new Kysely({
  dialect: new HtapDialect({ database: path, routing: 'duckdb', shadow: { sampleRate: 1 } }),
})
const { rows } = await sql`select count(*) as n from sale`.execute(db)
console.log(`done ${rows[0].n}`)
