// A long life under load: writes at a set rate, queries throughout, schema changes and restarts now and
// then. Prints how memory, log and lag go, and fails when a bound breaks.
//
//   npm run soak -- --seconds 7200 --rate 500
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Kysely, sql } from 'kysely'
import { HtapDialect, htap, olap, oltp } from 'kysely-htap'
import { quantile, slope } from './statistics.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '500' },
    rows: { type: 'string', default: '50000' },
    'report-seconds': { type: 'string', default: '60' },
    'schema-seconds': { type: 'string', default: '45' },
    'restart-seconds': { type: 'string', default: '150' },
    /** Memory is judged after so many seconds, at the latest after half of the time. */
    'settle-seconds': { type: 'string', default: '1800' },
    'memory-slope': { type: 'string', default: '1' },
    /** What some minutes of writes fill: the log waits for copies that are being made. */
    'log-rows': { type: 'string', default: '150000' },
    'lag-growth': { type: 'string', default: '3' },
  },
})
const option = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
)
const tickMs = 20
const sampleMs = 2000
const failuresShown = 10
const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-soak-'))
const path = join(folder, 'soak.db')

let waits = []
let failures = 0
const open = () =>
  new Kysely({
    dialect: new HtapDialect({
      database: path,
      routing: 'duckdb',
      onRoute: ({ engine, waitMs }) => engine === 'duckdb' && waits.push(waitMs),
    }),
  })
let db = open()
let isOpen = true
let startMs = performance.now()
const elapsedSeconds = () => (performance.now() - startMs) / 1000
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** `{ seconds, rss, heap, logRows, walBytes }`, memory in MB. */
const samples = []
/** Of each report interval: the waits for a fresh copy, in milliseconds. */
const lags = []
let written = 0
let answered = 0
let columns = 0
let step = 0

try {
  await create()
  startMs = performance.now()
  const jobs = [
    write(),
    query(),
    every(sampleMs / 1000, sample),
    every(option['report-seconds'], report),
  ]
  jobs.push(
    every(option['schema-seconds'], changeSchema),
    every(option['restart-seconds'], restart),
  )
  await Promise.all(jobs)
  await report()
  process.exitCode = (await conclude()) ? 0 : 1
} finally {
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
}

async function create() {
  await sql`create table event(id integer primary key, kind text, value real, note text)`.execute(
    db,
  )
  await sql`create table owner(name text unique, events integer)`.execute(db)
  await sql`insert into event with recursive s(v) as (
    select 1 union all select v + 1 from s where v < ${option.rows})
    select v, 'kind ' || v % 20, v / 8.0, 'note ' || v from s`.execute(db)
  await copied('event', 'owner')
}

/** Waits until DuckDB answers for the tables. */
async function copied(...tables) {
  const deadline = performance.now() + 60_000
  for (const table of tables) {
    for (let isCopied = false; !isCopied && performance.now() < deadline; ) {
      isCopied = await olap(count(table))
        .execute()
        .then(
          () => true,
          () => pause(20),
        )
    }
  }
}

function count(table) {
  return db.selectFrom(table).select((eb) => eb.fn.countAll().as('n'))
}

/** Waits while the database is closed for a moment, as an application's requests would. */
async function whenOpen() {
  while (!isOpen) {
    await pause(1)
  }
}

async function every(seconds, job) {
  for (let next = seconds; next < option.seconds; next += seconds) {
    while (elapsedSeconds() < next) {
      await pause(Math.min(200, (next - elapsedSeconds()) * 1000 + 1))
    }
    await attempt(job)
  }
}

async function attempt(job) {
  try {
    await job()
  } catch (error) {
    failures++
    if (failures <= failuresShown) {
      console.error(`failed after ${elapsedSeconds().toFixed(0)} s: ${error.stack}`)
    }
  }
}

/** What is due by now, in transactions of a few statements and alone. */
async function write() {
  while (elapsedSeconds() < option.seconds) {
    for (let due = elapsedSeconds() * option.rate - written; due >= 1; ) {
      await whenOpen()
      const length = Math.min(Math.floor(due), 1 + (written % 7))
      await attempt(() =>
        length === 1
          ? change(db)
          : db.transaction().execute(async (trx) => {
              for (let index = 0; index < length; index++) {
                await change(trx)
              }
            }),
      )
      written += length
      due -= length
      if (written % 50 < 7) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await pause(tickMs)
  }
}

function change(trx) {
  step++
  const id = 1 + ((step * 7919) % option.rows)
  switch (step % 10) {
    case 0:
      return trx.deleteFrom('event').where('id', '=', id).execute()
    case 1:
      return trx
        .insertInto('owner')
        .values({ name: `owner ${step % 500}`, events: 1 })
        .onConflict((oc) =>
          oc.column('name').doUpdateSet((eb) => ({ events: eb('owner.events', '+', 1) })),
        )
        .execute()
    case 2:
    case 3:
    case 4:
      return trx
        .updateTable('event')
        .set({ value: step / 4 })
        .where('id', '=', id)
        .execute()
    default:
      return trx
        .replaceInto('event')
        .values({ id, kind: `kind ${step % 20}`, value: step / 8, note: `note ${step}` })
        .execute()
  }
}

function queries() {
  return [
    db
      .selectFrom('event')
      .select((eb) => ['kind', eb.fn.countAll().as('n'), eb.fn.sum('value').as('total')])
      .groupBy('kind')
      .orderBy('kind'),
    db
      .selectFrom('owner')
      .select((eb) => [eb.fn.sum('events').as('n'), eb.fn.max('name').as('last')]),
  ]
}

async function query() {
  for (let index = 0; elapsedSeconds() < option.seconds; index++) {
    await whenOpen()
    await attempt(async () => {
      const all = queries()
      await all[index % all.length].execute()
      answered++
    })
    await pause(50)
  }
}

/** Adds and takes away columns and indexes, one step each time. */
async function changeSchema() {
  await whenOpen()
  columns++
  const name = `extra_${Math.floor(columns / 4)}`
  const { schema } = db
  switch (columns % 4) {
    case 0:
      await schema
        .alterTable('event')
        .addColumn(name, 'integer', (column) => column.defaultTo(7))
        .execute()
      break
    case 1:
      await schema.createIndex('event_kind').on('event').column('kind').execute()
      break
    case 2:
      await schema.dropIndex('event_kind').execute()
      break
    case 3:
      if (columns > 4) {
        await schema.alterTable('event').dropColumn(name).execute()
      }
  }
}

async function restart() {
  isOpen = false
  const old = db
  // What began before may end.
  await pause(100)
  await old.destroy()
  db = open()
  isOpen = true
}

async function sample() {
  await whenOpen()
  globalThis.gc?.()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const { rows } = await oltp(sql`select count(*) as n from _htap_log`).execute(db)
  samples.push({
    seconds: elapsedSeconds(),
    rss: rss / 1e6,
    heap: (heapUsed + external + arrayBuffers) / 1e6,
    logRows: rows[0].n,
    walBytes: size(`${path}-wal`),
  })
}

function size(file) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

async function report() {
  const recent = samples.slice(-Math.ceil((option['report-seconds'] * 1000) / sampleMs))
  const most = (field) => Math.max(0, ...recent.map((it) => it[field]))
  const lag = { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), count: waits.length }
  waits = []
  lags.push(lag)
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  console.log(
    [
      `${elapsedSeconds().toFixed(0)} s: ${written} writes, ${answered} answers, ${lag.count} by DuckDB`,
      `lag p50 ${lag.p50.toFixed(1)} ms, p99 ${lag.p99.toFixed(1)} ms`,
      `log ${most('logRows')} rows, WAL ${mb(most('walBytes'))}`,
      `files ${mb(size(path))} and ${mb(size(`${path}-htap.duckdb`) + size(`${path}-htap.duckdb.wal`))}`,
      `rss ${recent.at(-1)?.rss.toFixed(1)} MB, heap ${recent.at(-1)?.heap.toFixed(1)} MB`,
    ].join('; '),
  )
}

/** Whether every bound held. */
async function conclude() {
  const settled = Math.min(option['settle-seconds'], option.seconds / 2)
  const judged = samples.filter((it) => it.seconds >= settled)
  const rss = slope(judged.map((it) => [it.seconds / 3600, it.rss]))
  const heap = slope(judged.map((it) => [it.seconds / 3600, it.heap]))
  await copied('event', 'owner')
  await htap(db).syncNow()
  const { equal, tables } = await htap(db).verify()
  const answers = await Promise.all(
    queries().map(async (it) => [await olap(it).execute(), await oltp(it).execute()]),
  )
  const { rows } = await sql`pragma integrity_check`.execute(db)
  const third = Math.max(1, Math.floor(lags.length / 3))
  const worst = (part) => Math.max(...part.map((it) => it.p99))
  const [first, last] = [worst(lags.slice(0, third)), worst(lags.slice(-third))]
  const logMost = Math.max(...samples.map((it) => it.logRows))
  const show = (it) => `${it.value.toFixed(2)} ± ${it.error.toFixed(2)} MB/h`
  const bounds = [
    [
      `memory grows by ${show(rss)} (JavaScript: ${show(heap)}) after ${settled} s`,
      rss.value - 2 * rss.error <= option['memory-slope'],
    ],
    [`the log had at most ${logMost} rows`, logMost <= option['log-rows']],
    [
      `lag p99 was ${first.toFixed(0)} ms at first, ${last.toFixed(0)} ms at last`,
      last <= first * option['lag-growth'] + 100,
    ],
    [
      `${written} writes of ${Math.floor(option.seconds * option.rate)}`,
      written >= option.seconds * option.rate * 0.95,
    ],
    [
      `${tables.map((it) => `${it.table} ${it.sqliteRows} rows ${it.sqliteChecksum}`).join(', ')}: equal ${equal}`,
      equal && tables.length === 2,
    ],
    [
      'answers of both engines are the same',
      answers.every(([one, other]) => JSON.stringify(one) === JSON.stringify(other)),
    ],
    ['SQLite finds its file sound', rows[0].integrity_check === 'ok'],
    [`${failures} statements failed`, failures === 0],
  ]
  for (const [text, holds] of bounds) {
    console.log(`${holds ? 'holds ' : 'BROKEN'} ${text}`)
  }
  return bounds.every(([, holds]) => holds)
}
