import Database from 'better-sqlite3'
import type { RootOperationNode } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { ConstantValues } from '../../dist/dialect/router/constant-values.js'
import { QueryShapes } from '../../dist/dialect/router/query-shape.js'
import { TableSizes } from '../../dist/dialect/router/table-sizes.js'
import { TranslationCache } from '../../dist/dialect/router/translation-cache.js'
import { limits } from '../../dist/src/core/limits.js'
import { engineOf } from '../support/engine-of.js'
import { openShop, totals, untilMirrored } from '../support/shop.js'
import { TestWorld } from '../support/test-world.js'

// What happens at the limits of the router; `test/router/bounds.test.ts` has more of them.

function openDatabase(path = ':memory:'): Database.Database {
  const database = new Database(path)
  onTestFinished(() => void database.close())
  return database
}

it('a query waits a while for a copy that is behind, then SQLite answers', async () => {
  const world = new TestWorld()
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const release = world.holdChanges()
  database.exec('update sale set amount = 1')
  expect(await totals(db).execute()).toEqual([{ total: 50, n: 50 }])
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'the copy is behind' })
  expect(events.at(-1)!.waitMs).toBeGreaterThan(limits.freshnessWaitMs - 20)
  release()
  await totals(db).execute()
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
})

it('a query does not wait at all for more changes than can be applied in time', async () => {
  const waitTimeoutMs = 10
  const changesMax = waitTimeoutMs / limits.applyChangeMsEstimate
  // Nobody looks for changes but the queries.
  const sync = { waitTimeoutMs, intervalMs: 3_600_000 }
  const { db, database, events } = openShop({ routing: 'duckdb', sync }, changesMax + 1)
  await untilMirrored(db, 'sale')
  await htap(db).syncNow()
  database.exec('update sale set amount = 1')
  await totals(db).execute()
  const facts = { reason: 'the copy is behind', waitMs: 0, lagChanges: changesMax + 1 }
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', ...facts })
  await htap(db).syncNow()
  database.exec(`update sale set amount = 2 where id <= ${changesMax}`)
  await totals(db).execute()
  expect(events.at(-1)!.waitMs).toBeGreaterThan(0)
})

it('a query whose schema never stands still is answered by SQLite', async () => {
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const engine = engineOf(db)
  let changes = 0
  // Somebody changes the schema after each time that SQLite was asked about the query.
  const check = engine.checkSchema.bind(engine)
  const checks = vi.spyOn(engine, 'checkSchema').mockImplementation(() => {
    database.exec(`create table other${changes++}(id)`)
    return check()
  })
  expect(await totals(db).execute()).toMatchObject([{ n: 50 }])
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'the schema keeps changing' })
  expect(changes).toBe(limits.routeAttemptsMax)
  checks.mockRestore()
  await totals(db).execute()
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
})

it('a query whose copy changes each time that DuckDB reads it is answered by SQLite', async () => {
  const world = new TestWorld()
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const engine = engineOf(db)
  let changes = 0
  let isChanging = true
  world.onDuckDb = (name) => {
    if (name === 'execute_prepared_streaming' || name === 'execute_prepared' || name === 'query') {
      if (isChanging) {
        database.exec(`create table other${changes++}(id)`)
        void engine.checkSchema()
      }
    }
  }
  const answer = await totals(db).execute()
  isChanging = false
  expect(answer).toMatchObject([{ n: 50 }])
  const reason = 'the copy changed its form meanwhile'
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason })
  expect(changes).toBe(limits.routeAttemptsMax)
  await totals(db).execute()
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
})

it('a query that was cheaper on SQLite is weighed again after a while', async () => {
  const world = new TestWorld()
  const { db, events } = openShop({}, 50)
  const isWeighed = async () => {
    await totals(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'cheaper on SQLite' })
    return events.at(-1)!.estimate !== null
  }
  expect(await isWeighed()).toBe(true)
  expect(await isWeighed()).toBe(false)
  world.pass(limits.cheapAgeMs + 1)
  expect(await isWeighed()).toBe(true)
})

it('a query that DuckDB had no memory for is given to it again after a while', async () => {
  const world = new TestWorld()
  const { db, events } = openShop({ routing: 'duckdb' }, 50)
  await untilMirrored(db, 'sale')
  const engineOfAnswer = async () => {
    expect(await totals(db).execute()).toMatchObject([{ n: 50 }])
    return events.at(-1)!.engine
  }
  expect(await engineOfAnswer()).toBe('duckdb')
  world.onDuckDb = (name, sql) => {
    if (name === 'query' && /\bsum\(/.test(sql)) {
      throw new Error('Out of Memory Error: failed to pin a block')
    }
  }
  expect(await engineOfAnswer()).toBe('sqlite')
  world.onDuckDb = () => undefined
  expect(await engineOfAnswer()).toBe('sqlite')
  expect(events.at(-1)!.reason).toBe('DuckDB refused')
  world.pass(limits.failureRestMs + 1)
  expect(await engineOfAnswer()).toBe('duckdb')
})

it('a table without a copy is counted up to a bound, and again after a while', () => {
  const world = new TestWorld()
  const database = openDatabase()
  const most = limits.countedRowsMax
  database.exec(`create table t(id integer primary key); insert into t
    with recursive s(v) as (select 1 union all select v + 1 from s where v < ${most - 1}) select v from s`)
  const sizes = new TableSizes()
  expect(sizes.rows(database, 't')).toBe(most - 1)
  database.exec('insert into t values (1000001), (1000002), (1000003)')
  expect(sizes.rows(database, 'T')).toBe(most - 1)
  world.pass(limits.countedRowsAgeMs)
  expect(sizes.rows(database, 't')).toBe(most)
})

it('no more counts are remembered than there is room for', () => {
  const database = openDatabase()
  const sizes = new TableSizes()
  for (let table = 0; table < limits.countedTablesMax; table++) {
    database.exec(`create table t${table}(id)`)
    expect(sizes.rows(database, `t${table}`)).toBe(0)
  }
  database.exec('insert into t0 values (1); create table last(id)')
  expect(sizes.rows(database, 't0')).toBe(0)
  sizes.rows(database, 'last')
  expect(sizes.rows(database, 't0')).toBe(1)
})

it('the shape of a text is forgotten when many others came since', () => {
  const shapes = new QueryShapes()
  const raw = { kind: 'RawNode' } as RootOperationNode
  const of = (text: number) =>
    shapes.of({ sql: `select count(*) from t where a > ${text}`, query: raw })
  const first = of(0)
  expect(first.kind).toBe('analytic')
  for (let text = 1; text < limits.shapeCacheEntriesMax; text++) {
    of(text)
  }
  expect(of(0)).toBe(first)
  for (let text = 1; text <= limits.shapeCacheEntriesMax; text++) {
    of(-text)
  }
  expect(of(0)).not.toBe(first)
  expect(of(0)).toEqual(first)
})

it('of the translations of one text the oldest is forgotten first', () => {
  const cache = new TranslationCache()
  const constants = new ConstantValues(openDatabase(), [])
  const count = limits.translationVariantsMax + 1
  for (let plan = 0; plan < count; plan++) {
    const translation = { kind: 'kept', reason: `plan ${plan}`, assumptions: [] } as const
    cache.add('key', { translation, columns: new Map(), planText: `${plan}`, refusedUntilMs: 0 })
  }
  const kept = Array.from({ length: count }, (_, plan) =>
    cache.find('key', [], constants, () => `${plan}`),
  )
  expect(kept[0]).toBeNull()
  expect(kept.slice(1).every((entry) => entry !== null)).toBe(true)
})

it('commits of others are looked for in intervals, also while nobody asks', async () => {
  const intervals = vi.spyOn(globalThis, 'setInterval')
  onTestFinished(() => void intervals.mockRestore())
  const { db, database } = openShop({}, 50)
  await untilMirrored(db, 'sale')
  expect(intervals.mock.calls.map(([, ms]) => ms)).toContain(limits.foreignPollIntervalMs)
  const other = openDatabase(database.name)
  const head = other.prepare('select max(seq) from _htap_log').pluck()
  other.exec('update sale set amount = 1')
  await expect.poll(() => engineOf(db).position).toBe(head.get())
})
