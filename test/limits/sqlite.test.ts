import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished, vi } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { openReadThreads } from '../../dist/src/oltp/open-reads.js'
import { ReadPlan, ReadPlanner } from '../../dist/src/oltp/read-planner.js'
import { describeRead } from '../../dist/src/oltp/read-program.js'
import { StatementCache } from '../../dist/src/oltp/statement-cache.js'
import { openShop } from '../support/shop.js'
import { tempFolder } from '../support/temp-folder.js'
import { threadCount } from '../support/thread-count.js'

// What happens at the limits of reading SQLite for the application.

function openDatabase(path = ':memory:'): Database.Database {
  const database = new Database(path)
  onTestFinished(() => void database.close())
  return database
}

async function openThreads() {
  const database = openDatabase(join(tempFolder(), 'threads.db'))
  database.pragma('journal_mode = wal')
  const threads = await openReadThreads(database)
  onTestFinished(() => threads?.close())
  return threads!
}

/** Work for SQLite that grows with `steps`. */
const count = (steps: number) => ({
  sql: `with recursive c(n) as (select 1 union all select n + 1 from c where n < ${steps})
    select count(*) as n from c`,
  parameters: [],
  integers: 'number' as const,
})

it('a connection keeps a bounded number of prepared statements', () => {
  const cache = new StatementCache(openDatabase())
  const first = cache.get('select 0')
  for (let text = 1; text < limits.statementCacheEntriesMax; text++) {
    cache.get(`select ${text}`)
  }
  expect(cache.size).toBe(limits.statementCacheEntriesMax)
  expect(cache.get('select 0')).toBe(first)
  cache.get('select -1')
  expect(cache.size).toBe(limits.statementCacheEntriesMax)
  // What was not used for longest has gone, and is prepared anew.
  expect(cache.get('select 0')).toBe(first)
  expect(cache.get('select 1').statement.raw().all()).toEqual([[1]])
})

it('long reads run on few threads, which end when they have been idle', async () => {
  const threads = await openThreads()
  const before = threadCount()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  let running = 0
  let ended = 0
  const reads = Array.from({ length: limits.readThreadsMax + 1 }, async () => {
    running++
    const answer = await threads.run(count(300_000))
    ended++
    return answer?.rows
  })
  while (ended === 0) {
    expect(threadCount() - before).toBeLessThanOrEqual(limits.readThreadsMax)
    await turn()
  }
  expect(running).toBe(reads.length)
  const rows = await Promise.all(reads)
  expect(rows).toEqual(reads.map(() => [{ n: 300_000 }]))
  expect(threadCount() - before).toBe(limits.readThreadsMax)
  await vi.advanceTimersByTimeAsync(limits.readThreadIdleMs - 1000)
  expect(threadCount() - before).toBe(limits.readThreadsMax)
  await vi.advanceTimersByTimeAsync(2000)
  for (const deadline = Date.now() + 10_000; threadCount() > before && Date.now() < deadline; ) {
    await turn()
  }
  expect(threadCount()).toBe(before)
})

it('threads take no more reads when too many wait for them', async () => {
  const threads = await openThreads()
  const reads: Promise<unknown>[] = []
  const read = (steps: number) => reads.push(threads.run(count(steps)))
  // The threads are there and busy: what comes now waits.
  for (let thread = 0; thread < limits.readThreadsMax; thread++) {
    read(1)
  }
  await Promise.all(reads.splice(0))
  for (let thread = 0; thread < limits.readThreadsMax; thread++) {
    read(3_000_000)
  }
  for (let waiting = 1; waiting < limits.readThreadQueueMax; waiting++) {
    read(1)
  }
  expect(threads.isUnavailable).toBe(false)
  read(1)
  expect(threads.isUnavailable).toBe(true)
  await Promise.all(reads)
  expect(threads.isUnavailable).toBe(false)
})

it('a read learns where it belongs from how long it takes', () => {
  const program = describeRead(openDatabase(), 'select 1', [])
  const plan = new ReadPlan(program, 0, true)
  for (let run = 1; run < limits.quickReadsMin; run++) {
    plan.noteThread(limits.quickReadMs / 2)
  }
  // One that is not quick begins the row anew.
  plan.noteThread(limits.quickReadMs)
  for (let run = 1; run < limits.quickReadsMin; run++) {
    plan.noteThread(limits.quickReadMs / 2)
    expect(plan.belongsOnThread).toBe(true)
  }
  plan.noteThread(limits.quickReadMs / 2)
  expect(plan.belongsOnThread).toBe(false)
  plan.noteInline(limits.slowReadMs)
  expect(plan.belongsOnThread).toBe(false)
  plan.noteInline(limits.slowReadMs + 0.1)
  expect(plan.belongsOnThread).toBe(true)
})

it('a read that may visit many rows begins on a thread', () => {
  const database = openDatabase()
  const most = limits.smallReadVisitsMax
  database.exec(`create table t(a); insert into t
    with recursive s(v) as (select 1 union all select v + 1 from s where v < ${most}) select v from s`)
  const belongsOnThread = () => {
    const prepared = new StatementCache(database).get('select sum(a) from t')
    return new ReadPlanner(database).plan(prepared, [])?.belongsOnThread
  }
  expect(belongsOnThread()).toBe(false)
  database.exec('insert into t values (0)')
  expect(belongsOnThread()).toBe(true)
})

it('so many streams read a file at once, and the next one waits', async () => {
  const { db } = openShop({ routing: 'sqlite' }, 100)
  const open = () => db.selectFrom('sale').selectAll().stream(10)[Symbol.asyncIterator]()
  const streams = Array.from({ length: limits.streamConnectionsMax }, open)
  for (const stream of streams) {
    expect((await stream.next()).done).toBe(false)
  }
  const next = open()
  let isThere = false
  const first = next.next().then(({ done }) => {
    isThere = !done
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(isThere).toBe(false)
  await streams[0]!.return?.()
  await first
  expect(isThere).toBe(true)
  await Promise.all([...streams, next].map((stream) => stream.return?.()))
})
