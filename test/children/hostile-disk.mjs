// Opens a database whose mirror lives where the disk is against it, says in lines what it sees, and does
// what it is told on its standard input: `free` removes a file that takes up the disk.
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap } from '../../dist/dialect/index.js'

const [path, olapPath, ballast, ballastBytes] = process.argv.slice(2)
if (ballast) writeFileSync(ballast, Buffer.alloc(Number(ballastBytes)))

const started = performance.now()
const db = new Kysely({ dialect: new HtapDialect({ database: path, olap: { path: olapPath } }) })
const totals = () =>
  db.selectFrom('sale').select((eb) => [eb.fn.sum('amount').as('total'), eb.fn.countAll().as('n')])

const say = (what) => console.log(JSON.stringify(what))
const [first] = await totals().execute()
say({ first, afterMs: performance.now() - started })

// The mirror fails in the background, and SQLite goes on answering and writing.
const deadline = Date.now() + 20_000
for (let status = await htap(db).status(); ; status = await htap(db).status()) {
  const errors = [status.lastError, ...status.tables.map((table) => table.lastError)]
  const [error] = errors.filter((it) => it)
  if (error || Date.now() > deadline) {
    say({
      state: status.state,
      reason: error?.facts?.reason ?? null,
      message: error?.message ?? null,
    })
    break
  }
  await totals().execute()
  await new Promise((resolve) => setTimeout(resolve, 10))
}
await sql`insert into sale(amount) values (1.5)`.execute(db)
say({ second: (await totals().execute())[0] })

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'free') {
    if (ballast) rmSync(ballast)
    for (;;) {
      const answer = await olap(totals())
        .execute()
        .catch(() => null)
      if (answer !== null) {
        const { equal } = await htap(db).verify()
        say({ healed: answer[0], equal, fileBytes: statSync(olapPath).size })
        break
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  break
}
await db.destroy()
say({ closed: true })
