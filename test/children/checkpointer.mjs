// Changes rows and moves the mirror's write-ahead log into its file, over and over, until it is killed.
// First it proves that the mirror it was left is equal, or has become so again.
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap } from '../../dist/dialect/index.js'

const [path] = process.argv.slice(2)
const dialect = new HtapDialect({ database: path, sync: { tables: ['t'] } })
const db = new Kysely({ dialect })
await sql`create table if not exists t(id integer primary key, a int, b text)`.execute(db)
await sql`insert or ignore into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 60000)
  select v, 0, 'row ' || v from s`.execute(db)
const count = db.selectFrom('t').select((eb) => eb.fn.sum('a').as('a'))
while (
  (await olap(count)
    .execute()
    .catch(() => null)) === null
) {
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await htap(db).syncNow()
const { equal } = await htap(db).verify()
const { setAside } = await htap(db).status()
console.log(equal ? `equal${setAside === null ? '' : ` anew: ${setAside.cause}`}` : 'different')
const { engine } = db.getExecutor().adapter.driver.analytics
for (;;) {
  await sql`update t set a = a + 1 where id % 3 = abs(random()) % 3`.execute(db)
  await htap(db).syncNow()
  console.log('checkpoint')
  await engine.store.writer.execute('force checkpoint')
}
