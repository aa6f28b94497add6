// Several clients of one process write numbered transactions and read at every level of consistency.
// What they did and saw goes into a file, one JSON object a line (see test/consistency/history.ts).
//
// Arguments: a folder, the number of the process, how many transactions, the seed.
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { HtapDialect, olap, withConsistency } from 'kysely-htap'

const [folder, number, transactions, seed] = process.argv.slice(2)
const processNumber = Number(number)
const cells = 12
const writers = 2
const levels = ['strong', 'session', { maxStalenessMs: 100 }, 'latest']

const db = new Kysely({
  dialect: new HtapDialect({
    database: join(folder, 'history.db'),
    olap: { path: join(folder, `mirror-${number}.duckdb`), threads: 1 },
    pragmas: { busyTimeoutMs: 30_000 },
    sync: { intervalMs: 5 },
  }),
})
const out = createWriteStream(join(folder, `history-${number}.jsonl`))
const note = (entry) => out.write(`${JSON.stringify(entry)}\n`)
/** The same clock for all processes: nanoseconds since the machine started. */
const now = () => Number(process.hrtime.bigint())

let state = Number(seed) >>> 0
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 4294967296) * below)
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

await create()
await mirror()
let left = Number(transactions)
let isWriting = true
const reading = Promise.all(levels.map((level, index) => read(writers + index, level)))
await Promise.all(Array.from({ length: writers }, (_, client) => write(client)))
isWriting = false
await reading
await db.destroy()
await new Promise((resolve) => out.end(resolve))
console.log('done')

async function create() {
  await db.transaction().execute(async (trx) => {
    await sql`create table if not exists counter(id integer primary key, n integer)`.execute(trx)
    await sql`create table if not exists cell(id integer primary key, value integer)`.execute(trx)
    await sql`create table if not exists entry(id integer primary key, process integer)`.execute(
      trx,
    )
    await sql`insert or ignore into counter values (1, 0)`.execute(trx)
    await sql`insert or ignore into cell with recursive s(v) as (
      select 1 union all select v + 1 from s where v < ${cells}) select v, 0 from s`.execute(trx)
  })
}

async function mirror() {
  for (const table of ['counter', 'cell', 'entry']) {
    const count = olap(db.selectFrom(table).select((eb) => eb.fn.countAll().as('n')))
    for (let isCopied = false; !isCopied; ) {
      isCopied = await count.execute().then(
        () => true,
        () => pause(5),
      )
    }
  }
}

async function write(client) {
  while (left-- > 0) {
    const begunAt = now()
    const written = {}
    const transaction = await db.transaction().execute(async (trx) => {
      const { n } = await trx
        .updateTable('counter')
        .set((eb) => ({ n: eb('n', '+', 1) }))
        .returning('n')
        .executeTakeFirstOrThrow()
      for (let index = random(3); index >= 0; index--) {
        const cell = 1 + random(cells)
        written[cell] = n * 8 + index
        await trx.updateTable('cell').set({ value: written[cell] }).where('id', '=', cell).execute()
      }
      await trx.insertInto('entry').values({ id: n, process: processNumber }).execute()
      return n
    })
    note({
      kind: 'write',
      process: processNumber,
      client,
      number: transaction,
      begunAt,
      endedAt: now(),
      cells: written,
    })
    // Others get their turn of the event loop; at times long enough for the mirror to catch up.
    await (random(20) === 0 ? pause(random(20)) : new Promise((resolve) => setImmediate(resolve)))
  }
}

async function read(client, level) {
  const query = sql`select id, value from cell union all select 0, n from counter
    union all select -1, count(*) from entry`
  while (isWriting) {
    let begunAt = now()
    let engine = 'duckdb'
    let answer
    try {
      answer = await olap(query, { consistency: level }).execute(db)
    } catch (error) {
      if (error.code !== 'route-impossible') throw error
      engine = 'sqlite'
      begunAt = now()
      answer = await withConsistency(query, level).execute(db)
    }
    const endedAt = now()
    const seen = Object.fromEntries(answer.rows.map(({ id, value }) => [id, value]))
    const { 0: last, '-1': entries, ...values } = seen
    note({
      kind: 'read',
      process: processNumber,
      client,
      level,
      engine,
      begunAt,
      endedAt,
      number: last,
      entries,
      cells: values,
    })
    await pause(random(10))
  }
}
