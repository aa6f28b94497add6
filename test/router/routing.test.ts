import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapDialect, type HtapError, htap, olap, oltp } from '../../dist/dialect/index.js'
import { fillShop, openShop, type ShopDB, totals, untilMirrored } from '../support/shop.js'

describe('routing', () => {
  it('should answer from SQLite until the copy is there, then from DuckDB, with the same rows', async () => {
    const { db, events } = openShop()
    const first = await totals(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'no copy yet of sale' })
    await untilMirrored(db, 'sale')
    const second = await totals(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb', reason: 'cheaper on DuckDB' })
    expect(second).toEqual(first)
  })

  it('should leave key lookups, plain reads and small tables to SQLite', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale', 'person')
    await db.selectFrom('sale').selectAll().where('id', '=', 5).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'no analytic query' })
    await db
      .selectFrom('sale')
      .innerJoin('person', 'person.id', 'sale.person_id')
      .selectAll()
      .where('sale.id', '=', 5)
      .execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'cheaper on SQLite' })
    await db
      .selectFrom('person')
      .select((eb) => eb.fn.max('name').as('m'))
      .execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'cheaper on SQLite' })
  })

  it('should wait for the first copy and ignore cost under `duckdb`', async () => {
    const { db, events } = openShop({ routing: 'duckdb' }, 100)
    await db
      .selectFrom('person')
      .select((eb) => eb.fn.max('name').as('m'))
      .execute()
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb', reason: 'proven equal' })
  })

  it('should never leave SQLite under `sqlite`, unless told to for a query', async () => {
    const { db, events } = openShop({ routing: 'sqlite' })
    await totals(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'routing is off' })
    await olap(totals(db)).execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
  })

  it('should keep what it does not know on SQLite, with a reason', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale')
    await sql`select printf('%d', count(*)) as n from sale`.execute(db)
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite' })
    expect(events.at(-1)?.reason).toContain('printf')
  })

  it('should give SQLite’s own error for a query that SQLite refuses', async () => {
    const { db } = openShop({ routing: 'duckdb' })
    await expect(sql`select sum(nope) from sale`.execute(db)).rejects.toMatchObject({
      code: 'SQLITE_ERROR',
      message: 'no such column: nope',
    })
    await expect(
      totals(db)
        .where('id', '=', true as never)
        .execute(),
    ).rejects.toThrow(/SQLite3 can only bind/)
  })

  it('should keep reads inside of transactions on SQLite, where they see their own writes', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale')
    const before = await totals(db).executeTakeFirstOrThrow()
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('sale').values({ person_id: 1, amount: 5, day: 'x' }).execute()
      events.length = 0
      expect((await totals(trx as Kysely<ShopDB>).executeTakeFirstOrThrow()).n).toBe(before.n + 1)
    })
    expect(events.every((event) => event.engine === 'sqlite')).toBe(true)
    expect((await totals(db).executeTakeFirstOrThrow()).n).toBe(before.n + 1)
  })

  it('should stream analytic queries in chunks from DuckDB', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale')
    const query = db
      .selectFrom('sale')
      .groupBy('person_id')
      .select(['person_id', (eb) => eb.fn.sum<number>('amount').as('total')])
      .orderBy('person_id')
    const streamed: unknown[] = []
    for await (const row of query.stream(7)) {
      streamed.push(row)
      // Other queries work while the stream is open.
      await db.insertInto('person').values({ name: 'new', city: null }).execute()
    }
    expect(
      events.some((event) => event.engine === 'duckdb' && event.sql.includes('group by')),
    ).toBe(true)
    expect(streamed).toEqual(await oltp(query).execute())
  })

  it('should explain without running or copying anything', async () => {
    const { db } = openShop()
    expect(await htap(db).explain(totals(db))).toMatchObject({
      engine: 'sqlite',
      reason: 'no copy yet of sale',
    })
    expect((await htap(db).status()).tables).toEqual([])
    await untilMirrored(db, 'sale')
    const explained = await htap(db).explain(totals(db))
    expect(explained).toMatchObject({ engine: 'duckdb', lagChanges: 0 })
    expect(explained.duckdbSql).toContain('_htap_mirror.')
    expect(explained.estimate?.sqliteMs).toBeGreaterThan(explained.estimate?.duckdbMs ?? 0)
  })

  it('should give rows as an Arrow table', async () => {
    const { db } = openShop()
    await untilMirrored(db, 'sale')
    const query = db
      .selectFrom('sale')
      .groupBy('day')
      .select(['day', (eb) => eb.fn.countAll().as('n')])
      .orderBy('day')
    const table = await htap(db).arrow(query)
    const rows = table.toArray().map((row) => ({ day: row['day'], n: Number(row['n']) }))
    expect(rows).toEqual(await query.execute())
  })

  it('should serve several instances over one file from one copy', async () => {
    const { db, database } = openShop()
    await untilMirrored(db, 'sale')
    const second = new Kysely<ShopDB>({ dialect: new HtapDialect({ database: database.name }) })
    await olap(totals(second)).execute()
    await second.insertInto('sale').values({ person_id: 1, amount: 1, day: 'x' }).execute()
    const both = await Promise.all([olap(totals(db)).execute(), olap(totals(second)).execute()])
    expect(both[0]).toEqual(both[1])
    await second.destroy()
    expect(await olap(totals(db)).execute()).toEqual(both[0])
    expect((await htap(db).verify()).equal).toBe(true)
  })

  it('should cancel an analytic query by its signal', async () => {
    const { db } = openShop({ routing: 'duckdb' }, 3000)
    await untilMirrored(db, 'sale')
    const query =
      sql`select count(*) as n from sale a, sale b, sale c where a.amount < b.amount and b.amount < c.amount`.compile(
        db,
      )
    const driver = db.getExecutor()
    const abort = new AbortController()
    const startMs = performance.now()
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(
      driver.provideConnection((connection) =>
        (connection.executeQuery as (...args: unknown[]) => Promise<unknown>)(query, {
          signal: abort.signal,
        }),
      ),
    ).rejects.toThrow('enough')
    expect(performance.now() - startMs).toBeLessThan(3000)
    expect((await totals(db).executeTakeFirstOrThrow()).n).toBe(3000)
  })
})

describe('hints', () => {
  it('should send a query to DuckDB or throw why that is impossible', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'person')
    const rows = await olap(db.selectFrom('person').selectAll().where('id', '=', 3)).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb', reason: 'proven equal' })
    expect(rows).toEqual(await db.selectFrom('person').selectAll().where('id', '=', 3).execute())
    const impossible = olap(db.selectFrom('person').select(sql<string>`printf('%d', id)`.as('p')))
    await expect(impossible.execute()).rejects.toMatchObject({
      code: 'route-impossible',
    } satisfies Partial<HtapError>)
  })

  it('should not stick to the builder they were made from', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale')
    const query = totals(db)
    await oltp(query).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'asked for' })
    await query.execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
  })

  it('should hold for a whole instance, and leave its writes alone', async () => {
    const { db, events } = openShop()
    await untilMirrored(db, 'sale')
    const onSqlite = oltp(db)
    await onSqlite.insertInto('sale').values({ person_id: 1, amount: 1, day: 'x' }).execute()
    await totals(onSqlite as Kysely<ShopDB>).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'asked for' })
    await sql`select count(*) from sale`.execute(olap(db))
    expect(events.at(-1)?.engine).toBe('duckdb')
  })
})

describe('what the application did to its connection', () => {
  const cases: [string, (database: Database.Database) => void, string][] = [
    [
      'a temporary table that hides the real one',
      (database) => database.exec('create temp table sale as select 1 as amount'),
      'select sum(amount) as s from sale',
    ],
    [
      'a temporary view',
      (database) => database.exec('create temp view sale as select 2 as amount'),
      'select sum(amount) as s from sale',
    ],
    [
      'a registered function with the name of a built-in one',
      (database) => database.function('abs', { deterministic: true }, () => 77),
      'select sum(abs(amount)) as s from sale',
    ],
    [
      'a registered aggregate',
      (database) => database.aggregate('sum', { start: 0, step: (total: number) => total + 1 }),
      'select sum(amount) as s from sale',
    ],
    [
      'case-sensitive LIKE',
      (database) => database.pragma('case_sensitive_like = on'),
      "select count(*) as n from sale join person on person.id = sale.person_id where name like 'NAME 1%'",
    ],
    [
      'unordered reads in reverse',
      (database) => database.pragma('reverse_unordered_selects = on'),
      'select person_id, count(*) as n from sale group by person_id',
    ],
  ]

  it.each(cases)('should decide nothing in silence: %s', async (_, change, text) => {
    const { db, database, events } = openShop({ routing: 'duckdb' })
    await untilMirrored(db, 'sale', 'person')
    change(database)
    const expected = database.prepare(text).all()
    expect((await sql.raw(text).execute(db)).rows).toEqual(expected)
    expect(events.at(-1)?.engine).toBe('sqlite')
  })

  it('should give integers as bigint where the connection does', async () => {
    const { db, database, events } = openShop({ routing: 'duckdb' })
    await untilMirrored(db, 'sale')
    database.defaultSafeIntegers(true)
    const query = db
      .selectFrom('sale')
      .select((eb) => [
        eb.fn.countAll().as('n'),
        eb.fn.max('person_id').as('p'),
        eb.fn.max('amount').as('a'),
      ])
    const rows = await query.execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
    expect(rows).toEqual([{ n: 20_000n, p: 200n, a: 99.99 }])
  })

  it('should answer from an attached database through the connection', async () => {
    const { db, database, events } = openShop({ routing: 'duckdb' })
    await untilMirrored(db, 'sale')
    database.exec(
      "attach ':memory:' as other; create table other.stock(n int); insert into other.stock values (1), (2)",
    )
    const { rows } = await sql`select sum(n) as s from stock`.execute(db)
    expect(rows).toEqual([{ s: 3 }])
    expect(events.at(-1)?.engine).toBe('sqlite')
  })
})

describe('databases of every kind', () => {
  it.each(['delete', 'truncate', 'memory'])(
    'should mirror a file in journal mode %s',
    async (mode) => {
      const shop = openShop()
      const database = new Database(shop.database.name.replace('shop.db', 'other.db'))
      database.pragma(`journal_mode = ${mode}`)
      fillShop(database, 500)
      const db = new Kysely<ShopDB>({ dialect: new HtapDialect({ database, routing: 'duckdb' }) })
      onTestFinished(() => db.destroy())
      const first = await totals(db).executeTakeFirstOrThrow()
      await db.insertInto('sale').values({ person_id: 1, amount: 1, day: 'x' }).execute()
      expect((await olap(totals(db)).executeTakeFirstOrThrow()).n).toBe(first.n + 1)
      expect((await htap(db).verify()).equal).toBe(true)
      expect(database.pragma('journal_mode', { simple: true })).toBe(mode)
    },
  )

  it('should bring no SQLITE_BUSY that would not be there without us', async () => {
    const { db, database } = openShop({ sync: { intervalMs: 1 } })
    await untilMirrored(db, 'sale')
    await db.insertInto('sale').values({ person_id: 1, amount: 1, day: 'x' }).execute()
    // A deferred transaction that reads first fails to write when anybody commits in between.
    database.exec('begin')
    database.prepare('select count(*) from person').get()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    database.exec("insert into person(name) values ('late')")
    database.exec('commit')
    expect((await htap(db).verify()).equal).toBe(true)
  })

  it('should answer from SQLite alone for a read-only database', async () => {
    const { database } = openShop()
    const reader = new Database(database.name, { readonly: true })
    const db = new Kysely<ShopDB>({ dialect: new HtapDialect({ database: reader }) })
    onTestFinished(() => db.destroy())
    expect((await totals(db).executeTakeFirstOrThrow()).n).toBe(20_000)
    expect((await htap(db).status()).state).toBe('off')
    await expect(htap(db).syncNow()).rejects.toMatchObject({ code: 'mirror-unavailable' })
  })

  it('should keep no copy with `sync: false`', async () => {
    const { db, database } = openShop({ sync: false })
    await totals(db).execute()
    expect((await htap(db).status()).state).toBe('off')
    expect(
      database
        .prepare("select count(*) as n from sqlite_schema where name like '\\_htap%' escape '\\'")
        .get(),
    ).toEqual({ n: 0 })
  })

  it('should copy just the listed tables', async () => {
    const { db, events } = openShop({ routing: 'duckdb', sync: { tables: ['sale'] } })
    await totals(db).execute()
    expect(events.at(-1)?.engine).toBe('duckdb')
    await db
      .selectFrom('person')
      .select((eb) => eb.fn.countAll().as('n'))
      .execute()
    expect(events.at(-1)).toMatchObject({
      engine: 'sqlite',
      reason: 'table person: not in the list of tables to copy',
    })
  })

  it('should refuse another dialect’s instance', () => {
    const database = new Database(':memory:')
    const db = new Kysely({ dialect: new SqliteDialect({ database }) })
    expect(() => htap(db)).toThrow(/another dialect/)
    database.close()
  })
})
