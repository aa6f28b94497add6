import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  type HtapShadowConfig,
  htap,
  olap,
  type ShadowMismatch,
} from '../../dist/dialect/index.js'
import { packageVersion } from '../../dist/src/core/version.js'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { engineOf } from '../support/engine-of.js'
import { openShadowed, perDay, settled, statusOf, tamper } from '../support/shadowed-shop.js'
import { fillShop, openShop, type ShopDB, totals, untilMirrored } from '../support/shop.js'

const quarantined = 'quarantined: answers differed'

describe('equal answers', () => {
  it('should be counted and change nothing', async () => {
    const { db, events, mismatches } = openShadowed()
    await untilMirrored(db, 'sale', 'person')
    await settled(db)
    const queries = [
      totals(db),
      perDay(db),
      db
        .selectFrom('sale')
        .groupBy('person_id')
        .select(['person_id', sql`x'00ff'`.as('b')]),
      db
        .selectFrom('sale')
        .innerJoin('person', 'person.id', 'sale.person_id')
        .groupBy('city')
        .select(['city', (eb) => eb.fn.countAll<number>().as('n')])
        .where('amount', '>', 50),
    ]
    const before = await statusOf(db)
    for (const query of queries) {
      await query.execute()
      expect(events.at(-1)?.engine).toBe('duckdb')
      await settled(db)
    }
    const after = await statusOf(db)
    expect(after.equal - before.equal).toBe(queries.length)
    expect(after).toMatchObject({ mismatched: 0, unrepeated: 0, moved: 0, quarantined: [] })
    expect(mismatches).toEqual([])
  })

  it('should count rows that the application has changed apart', async () => {
    const { db, mismatches } = openShadowed()
    await untilMirrored(db, 'sale')
    await settled(db)
    const rows = await perDay(db).execute()
    rows[3]!.total = -1
    rows.reverse()
    expect(await settled(db)).toMatchObject({ unrepeated: 1, mismatched: 0, quarantined: [] })
    expect(mismatches).toEqual([])
  })

  it('should be found for integers as bigint', async () => {
    const { db, database } = openShadowed()
    await untilMirrored(db, 'sale')
    await settled(db)
    database.defaultSafeIntegers(true)
    const before = await statusOf(db)
    expect(await totals(db).execute()).toMatchObject([{ n: 20_000n }])
    expect((await settled(db)).equal).toBe(before.equal + 1)
  })
})

describe('a copy that is wrong', () => {
  it('should be noticed, reported and no longer asked for that text', async () => {
    const { db, events, mismatches } = openShadowed()
    await untilMirrored(db, 'sale')
    await settled(db)
    await tamper(db, "update sale set amount = amount + 1 where day = '2024-04-11' and id < 10")
    const query = perDay(db).where('amount', '>=', 0.5)
    const wrong = await query.execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
    expect(mismatches).toEqual([])
    const status = await settled(db)
    expect(status).toMatchObject({ mismatched: 1, quarantined: [query.compile().sql] })

    const [mismatch] = mismatches
    expect(mismatches).toHaveLength(1)
    expect(Object.isFrozen(mismatch)).toBe(true)
    const sqliteTotal = (await query.execute())[3]!.total
    expect(mismatch).toMatchObject({
      sql: query.compile().sql,
      parameters: [0.5],
      position: engineOf(db).position,
      difference: {
        kind: 'value',
        row: 3,
        column: 'total',
        sqliteValue: sqliteTotal,
        duckdbValue: wrong[3]!.total,
      },
    })
    expect(sqliteTotal).not.toBe(wrong[3]!.total)

    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: quarantined })
    expect(await htap(db).explain(query)).toMatchObject({ engine: 'sqlite', reason: quarantined })
    await expect(olap(query).execute()).rejects.toMatchObject({
      code: 'route-impossible',
      facts: { reason: quarantined },
    })
    await expect(htap(db).arrow(query)).rejects.toMatchObject({ code: 'route-impossible' })
    // Other texts go on.
    await totals(db).execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
  })

  it('should be reported with everything that is needed to repeat it, and no more', async () => {
    const { db, database, mismatches } = openShadowed()
    database.exec('create view cheap as select * from sale where amount < 1000')
    await untilMirrored(db, 'sale')
    await settled(db)
    await tamper(db, "update sale set day = 'Nowhere' where id = 7")
    const query = sql`select day, count(*) as n from cheap where person_id <> ${3} group by day
      having count(*) > ${0} order by day`
    await query.execute(db)
    await settled(db)
    const { reproduction, duckdbSql } = mismatches[0]!
    const sqliteVersion = database.prepare('select sqlite_version()').pluck().get()
    for (const part of [
      `kysely-htap ${packageVersion}, SQLite ${sqliteVersion}, DuckDB v`,
      'CREATE TABLE sale(',
      'CREATE INDEX sale_person on sale(person_id);',
      'CREATE VIEW cheap as',
      'from cheap where person_id <> ?',
      'parameter 1: 3',
      'parameter 2: 0',
      duckdbSql,
      'amount float64',
      'rows: SQLite 9, DuckDB 10',
      'DuckDB 9: day = "Nowhere", n = 1',
    ]) {
      expect(reproduction.toLowerCase()).toContain(part.toLowerCase())
    }
    expect(reproduction).not.toContain('_htap_log')
    expect(reproduction).not.toContain('create table person')
    // Everything but the definitions, the query and DuckDB's SQL is a comment.
    const empty = new Database(':memory:')
    const [ours = ''] = reproduction.split('-- DuckDB\n')
    empty.exec(ours.slice(0, ours.indexOf('-- Query')))
    expect(empty.prepare('select count(*) from cheap').pluck().get()).toBe(0)
    empty.close()
  })

  it('should keep no answer waiting, and not the event loop', async () => {
    const { db, database, events } = openShadowed({}, { routing: 'duckdb' })
    await untilMirrored(db, 'sale')
    const { equal } = await settled(db)
    const slow = sql`select count(*) as n from sale a join sale b on a.day = b.day
      where a.id <= ${3000} and a.amount < b.amount`
    const { rows } = await slow.execute(db)
    expect(events.at(-1)?.engine).toBe('duckdb')
    // The answer is here and SQLite has not begun.
    expect(await statusOf(db)).toMatchObject({ equal })
    let blockedMs = 0
    for (let lastMs = performance.now(); (await statusOf(db)).equal === equal; ) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      blockedMs = Math.max(blockedMs, performance.now() - lastMs)
      lastMs = performance.now()
    }
    const startMs = performance.now()
    expect(database.prepare(slow.compile(db).sql).all(3000)).toEqual(rows)
    const sqliteMs = performance.now() - startMs
    expect(sqliteMs).toBeGreaterThan(200)
    expect(blockedMs).toBeLessThan(sqliteMs / 2)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('observer')
      },
    ],
    ['rejects', () => Promise.reject(new Error('observer'))],
  ])('should be kept off though the observer %s', async (_, onMismatch) => {
    const { db, events } = openShadowed({ onMismatch: onMismatch as () => void })
    await untilMirrored(db, 'sale')
    await settled(db)
    await tamper(db, 'update sale set amount = 0 where id = 1')
    await perDay(db).execute()
    expect(await settled(db)).toMatchObject({ mismatched: 1 })
    await perDay(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: quarantined })
    expect((await htap(db).status()).lastError).toMatchObject({ message: 'observer' })
  })

  it('should be kept off without an observer, and let one destroy the instance', async () => {
    const mute = openShop({ shadow: { sampleRate: 1 } })
    await untilMirrored(mute.db, 'sale')
    await settled(mute.db)
    await tamper(mute.db, 'delete from sale where id = 1')
    await totals(mute.db).execute()
    expect(await settled(mute.db)).toMatchObject({ mismatched: 1 })

    const told = new Promise<void>((resolve, reject) => {
      const onMismatch = () => void db.destroy().then(resolve, reject)
      const { db } = openShadowed({ onMismatch })
      void (async () => {
        await untilMirrored(db, 'sale')
        await settled(db)
        await tamper(db, 'delete from sale where id = 1')
        await totals(db).execute()
      })().catch(reject)
    })
    await told
  })
})

describe('what is not compared', () => {
  it('should be what depends on the clock', async () => {
    const { db, database, mismatches } = openShadowed({}, { routing: 'duckdb' })
    database.exec("create view clocked as select amount, strftime('%J') as d from sale")
    await untilMirrored(db, 'sale')
    await settled(db)
    const clocks = [
      sql`select count(*) as n, date('now') as d from sale`,
      sql`select count(*) as n, datetime(${'now'}, 'subsec') as d from sale`,
      sql`select count(*) as n, current_timestamp as d from sale`,
      sql`select count(*) as n from sale where day < date()`,
      sql`select count(*) as n, strftime('%f') as d from sale`,
      sql`select count(*) as n, julianday('n' || 'ow') as d from sale`,
      sql`select count(*) as n, julianday(cast(${Buffer.from('NOW')} as text)) as d from sale`,
      sql`select count(*) as n, strftime('%J', ${Buffer.from('now\0')}) as d from sale`,
      sql`select count(*) as n, strftime(${'%'} || 'f') as d from sale`,
      sql`select count(*) as n, julianday( /* nothing */ ) as d from sale`,
      sql`select count(*) as n, max(d) as d from clocked`,
    ]
    for (const query of clocks) {
      await query.execute(db)
    }
    const before = await settled(db)
    expect(before.skipped['time-dependent']).toBe(clocks.length)
    // What only looks like it is compared.
    await sql`select count(*) as n, julianday(date(${'2024-02-01'}, '-' || ${3} || ' days')) as d
      from sale where day < strftime('%Y-%m-%d', '2024-04-12')`.execute(db)
    expect((await settled(db)).equal).toBe(before.equal + 1)
    expect(mismatches).toEqual([])
  })

  it('should be answers with too many rows, and those that come while one is compared', async () => {
    const { db } = openShadowed({ maxRows: 100 })
    await untilMirrored(db, 'sale')
    const before = await settled(db)
    await db
      .selectFrom('sale')
      .groupBy('person_id')
      .select(['person_id', (eb) => eb.fn.sum('amount').as('total')])
      .execute()
    expect((await settled(db)).skipped).toMatchObject({ 'too many rows': 1 })
    await Promise.all(Array.from({ length: 10 }, () => totals(db).execute()))
    const after = await settled(db)
    expect(after.sampled - before.sampled).toBe(11)
    expect(after.skipped['busy']).toBeGreaterThan(0)
  })

  it('should be streams and Arrow tables', async () => {
    const { db } = openShadowed()
    await untilMirrored(db, 'sale')
    const { sampled } = await settled(db)
    for await (const _ of perDay(db).stream(3)) {
      // Nothing but reading it.
    }
    await htap(db).arrow(perDay(db))
    expect((await statusOf(db)).sampled).toBe(sampled)
  })

  it('should be all without a share, and about that share otherwise', async () => {
    const none = openShadowed({ sampleRate: 0 })
    await untilMirrored(none.db, 'sale')
    await totals(none.db).execute()
    expect((await statusOf(none.db)).sampled).toBe(0)
    const half = openShadowed({ sampleRate: 0.5 })
    await untilMirrored(half.db, 'sale')
    const { sampled } = await settled(half.db)
    for (let n = 0; n < 200; n++) {
      await totals(half.db).execute()
    }
    // Seven standard deviations.
    const share = (await settled(half.db)).sampled - sampled
    expect(share).toBeGreaterThan(50)
    expect(share).toBeLessThan(150)
  })
})

describe('writers beside', () => {
  const rounds = repetitions('HTAP_SHADOW_ROUNDS', 60)

  it(`should raise no false alarm in ${rounds} rounds`, async () => {
    const { db, database, mismatches } = openShadowed()
    await untilMirrored(db, 'sale')
    const before = await settled(db)
    const other = new Database(database.name)
    other.pragma('busy_timeout = 5000')
    let isRunning = true
    const writing = (async () => {
      for (let n = 0; isRunning; n++) {
        other.prepare('update sale set amount = amount + 1 where id % 977 = ?').run(n % 977)
        other.exec(`insert into sale(person_id, amount, day) values (${n % 200}, 1, 'new')`)
        other.exec('delete from sale where id = (select max(id) from sale)')
        await db
          .updateTable('sale')
          .set({ day: `d${n % 3}` })
          .where('id', '=', n)
          .execute()
        // Now and then a pause in which the engines can meet.
        await new Promise((resolve) => setTimeout(resolve, n % 10 === 0 ? 40 : n % 5))
      }
    })()
    for (let round = 0; round < rounds; round++) {
      const latest = olap(perDay(db), { consistency: 'latest' })
      await (round % 3 === 0 ? latest : round % 3 === 1 ? perDay(db) : totals(db)).execute()
      await settled(db)
    }
    isRunning = false
    await writing
    other.close()
    const after = await settled(db)
    expect(mismatches).toEqual([])
    expect(after).toMatchObject({ mismatched: 0, unrepeated: 0, quarantined: [] })
    expect(after.equal - before.equal).toBeGreaterThan(rounds / 50)
    expect((await htap(db).verify()).equal).toBe(true)
  }, 3_600_000)

  it('should raise none when the schema, and with it the order of rows, changes', async () => {
    const { db, database, mismatches } = openShadowed()
    await untilMirrored(db, 'sale')
    await settled(db)
    const query = db
      .selectFrom('sale')
      .where('person_id', '<', 50)
      .groupBy(['day', 'person_id'])
      .select(['person_id', 'day', (eb) => eb.fn.countAll().as('n')])
    for (let round = 0; round < 20; round++) {
      await olap(query)
        .execute()
        .catch(() => undefined)
      database.exec(
        round % 2 === 0
          ? 'create index sale_both on sale(person_id, day); analyze'
          : 'drop index sale_both',
      )
      await settled(db)
    }
    expect(mismatches).toEqual([])
  })
})

describe('a database in memory', () => {
  it('should be compared on its one connection, between transactions', async () => {
    const database = new Database(':memory:')
    fillShop(database, 20_000)
    const mismatches: ShadowMismatch[] = []
    const config: HtapDialectConfig = {
      database,
      shadow: { sampleRate: 1, onMismatch: (it) => mismatches.push(it) },
    }
    const db = new Kysely<ShopDB>({ dialect: new HtapDialect(config) })
    onTestFinished(() => db.destroy())
    await untilMirrored(db, 'sale')
    const { equal } = await settled(db)
    await perDay(db).execute()
    expect((await settled(db)).equal).toBe(equal + 1)
    // A transaction that begins before the comparison can.
    await perDay(db).execute()
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('sale').set({ amount: 5 }).where('id', '<', 100).execute()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await trx.deleteFrom('sale').where('id', '=', 5).execute()
    })
    await settled(db)
    expect(mismatches).toEqual([])
    await tamper(db, 'update sale set amount = 0 where id = 1000')
    await perDay(db).execute()
    expect(await settled(db)).toMatchObject({ mismatched: 1 })
    expect(mismatches).toHaveLength(1)
  })
})

describe('the end', () => {
  it('should come while a comparison runs', async () => {
    const { db, mismatches } = openShadowed({}, { routing: 'duckdb' })
    await untilMirrored(db, 'sale')
    await settled(db)
    await sql`select count(*) as n from sale a join sale b on a.day = b.day
      where a.amount < b.amount`.execute(db)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await db.destroy()
    expect((await statusOf(db)).skipped).toMatchObject({ closing: 1 })
    expect(mismatches).toEqual([])
  })

  it('should not be put off by a comparison, in a process that does not destroy', async () => {
    const { database } = openShop({}, 3000)
    const child = new Child('shadow-reader.mjs', [database.name])
    expect(await child.nextLine()).toBe('done 3000')
    expect(await child.ended()).toEqual({ code: 0, signal: null })
  })
})

it('should refuse options that make no sense', () => {
  const open = (shadow: unknown) =>
    new HtapDialect({ database: ':memory:', shadow: shadow as HtapShadowConfig })
  for (const sampleRate of [-0.1, 1.1, Number.NaN, '1', undefined]) {
    expect(() => open({ sampleRate })).toThrow(
      expect.objectContaining({ code: 'config-invalid' }) as Error,
    )
  }
  for (const maxRows of [0, 1.5, Number.POSITIVE_INFINITY]) {
    expect(() => open({ sampleRate: 1, maxRows })).toThrow(/shadow\.maxRows/)
  }
  expect(() => open({ sampleRate: 1, onMismatch: 'log' })).toThrow(/shadow\.onMismatch/)
  expect(() => open(null)).toThrow(/shadow/)
})

it('should name the version that is published', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  expect(packageVersion).toBe(JSON.parse(text).version)
})
