// The rows of a query as an Apache Arrow table: columns instead of a hundred thousand objects.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
const db = new Kysely({
  // Whatever is proven equal goes to DuckDB, and waits for the first copy.
  dialect: new HtapDialect({ database: join(folder, 'sensors.db'), routing: 'duckdb' }),
})

await sql`create table reading (id integer primary key, sensor text, celsius real)`.execute(db)
await sql`
  insert into reading (sensor, celsius)
  with recursive n (i) as (select 0 union all select i + 1 from n where i < 99999)
  select 'sensor ' || (i % 10), 15 + (i * 7919 % 1000) / 100.0 from n`.execute(db)

// This query asks for the copy and waits until it is there.
const bySensor = db
  .selectFrom('reading')
  .select((eb) => ['sensor', eb.fn.avg('celsius').as('celsius')])
  .groupBy('sensor')
console.table(await bySensor.execute())

const table = await htap(db).arrow(db.selectFrom('reading').selectAll())
console.log(String(table.schema))
console.log(`${table.numRows} rows in ${table.batches.length} batches`)

const celsius = table.getChild('celsius')
let warmest = Number.NEGATIVE_INFINITY
for (const value of celsius) {
  warmest = Math.max(warmest, value)
}
console.log(`The warmest reading is ${warmest} degrees`)

await db.destroy()
rmSync(folder, { recursive: true })
