import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Kysely, type RootOperationNode, SqliteDialect, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, olap, oltp, type RouteEvent } from '../../dist/dialect/index.js'
import { QueryShapes } from '../../dist/dialect/router/query-shape.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import { overwrite } from '../support/damage.js'
import { engineOf } from '../support/engine-of.js'
import { fillShop, openShop, type ShopDB, totals, untilMirrored } from '../support/shop.js'

// Branches of the router that only odd queries and odd moments lead into.

function openInMemory(config = {}) {
  const database = new Database(':memory:')
  fillShop(database, 50)
  const events: RouteEvent[] = []
  const onRoute = (event: RouteEvent) => events.push(event)
  const db = new Kysely<ShopDB>({
    dialect: new HtapDialect({ database, routing: 'duckdb', onRoute, ...config }),
  })
  onTestFinished(() => db.destroy())
  return { database, db, events }
}

describe('parameters', () => {
  const values: readonly unknown[] = [
    ...[0, 7, -1.5, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY, 12n, 2n ** 62n, -(2n ** 63n)],
    ...[2n ** 63n, 2n ** 70n, '7', 'a\0b', '', null, Buffer.from('city 1'), Buffer.alloc(0)],
    ...[true, undefined, new Date(0), {}],
  ]
  const texts = [
    'select count(*) as n from sale where id = ?',
    'select count(*) as n, max(amount) as m from sale where amount > ?',
    'select count(*) as n from sale where day = ?',
    'select day, count(*) as n from sale where day <> ? group by day order by day',
    'select count(*) as n, ? as p from sale',
    'select day, max(coalesce(?, amount)) as m from sale group by day order by day',
  ]

  it.each(texts)('of every class should be answered as SQLite does: %s', async (text) => {
    const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
    await untilMirrored(db, 'sale')
    const stock = new Kysely({
      dialect: new SqliteDialect({ database: new Database(database.name) }),
    })
    onTestFinished(() => stock.destroy())
    const before = events.length
    for (const value of values) {
      const [head = '', tail = ''] = text.split('?')
      const query = sql`${sql.raw(head)}${value}${sql.raw(tail)}`
      const [given, right] = await Promise.all(
        [db, stock].map(async (it) => {
          try {
            return (await query.execute(it)).rows
          } catch (error) {
            return String(error)
          }
        }),
      )
      expect({ value, given }).toEqual({ value, given: right })
    }
    const engines = events.slice(before).map((event) => event.engine)
    expect(engines.filter((engine) => engine === 'duckdb').length).toBeGreaterThan(5)
  })
})

describe('a hint', () => {
  it('should not show in the name of a column without an alias', async () => {
    const { db, events } = openShop({ routing: 'duckdb' }, 50)
    await untilMirrored(db, 'sale')
    const counted = sql`select (select count(*) from sale)`
    for (const hint of [oltp, olap]) {
      const { rows } = await hint(counted).execute(db)
      expect(rows).toEqual([{ '(select count(*) from sale)': 50 }])
    }
    expect(events.map(({ engine }) => engine).slice(-2)).toEqual(['sqlite', 'duckdb'])
  })
})

describe('what is kept on SQLite', () => {
  it('should be explained, with a reason for each', async () => {
    const { db, database } = openShop({ routing: 'duckdb' }, 50)
    database.exec(`create table nc(k text collate nocase primary key) without rowid;
      insert into nc values ('a'); create virtual table words using fts5(word)`)
    await untilMirrored(db, 'sale')
    const reasonOf = async (text: string) => {
      const { reason } = await htap(db).explain({ compile: () => sql.raw(text).compile(db) })
      return reason
    }
    const plain = db.selectFrom('sale').selectAll().where('id', '=', 1)
    expect(await htap(db).explain(plain)).toMatchObject({ reason: 'no analytic query' })
    expect(await reasonOf('select count(*) from sale indexed by')).toMatch(/^not understood: /)
    expect(await reasonOf('select count(*) from words join sale on word = day')).toBe(
      'table: is a virtual table',
    )
    expect(await htap(db).explain(oltp(totals(db)))).toMatchObject({ reason: 'asked for' })
    // Refused as soon as a copy is asked for.
    await sql`select count(*) as n from nc`.execute(db)
    const refused = await reasonOf('select count(*) from nc')
    expect(refused).toMatch(/^table nc: the key column k .* has a collation$/)
  })

  it('should be refused to who insists, with a reason', async () => {
    const { db, database } = openShop({ routing: 'duckdb' }, 50)
    const refused = (reason: RegExp | string) => ({
      code: 'route-impossible',
      facts: { reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) },
    })
    const write = db.insertInto('person').values({ name: 'new', city: null })
    await expect(htap(db).arrow(write)).rejects.toMatchObject({ code: 'route-impossible' })
    const odd = sql.raw('select count(*) from sale indexed by').compile(db)
    await expect(htap(db).arrow({ compile: () => odd })).rejects.toMatchObject(
      refused(/^not understood/),
    )
    expect(database.prepare('select count(*) from person').pluck().get()).toBe(200)
  })

  it('should be nothing of a statement without tables, which opens the copy itself', async () => {
    const { db, events } = openShop({ routing: 'duckdb' }, 50)
    const { rows } = await sql`select max(7, ${3}) as n`.execute(olap(db))
    expect(rows).toEqual([{ n: 7 }])
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
  })

  it('should be everything where no copy can be kept', async () => {
    const path = '/proc/nowhere/copy.duckdb'
    const { db, events } = openShop({ routing: 'duckdb', olap: { path } }, 50)
    for (let round = 0; round < 3; round++) {
      expect(await totals(db).execute()).toMatchObject([{ n: 50 }])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(events.map((event) => event.engine)).toEqual(['sqlite', 'sqlite', 'sqlite'])
    expect(events.at(-1)).toMatchObject({ reason: 'the mirror is not available' })
  })

  it('should stream from SQLite', async () => {
    const { db, events } = openShop({ routing: 'duckdb' }, 50)
    const days = async (query: ReturnType<typeof perDay>) => {
      const rows: unknown[] = []
      for await (const row of query.stream(2)) {
        rows.push(row)
      }
      return rows
    }
    const perDay = (where: number) =>
      db
        .selectFrom('sale')
        .where('id', '<=', where)
        .groupBy('day')
        .select(['day', (eb) => eb.fn.countAll<number>().as('n')])
        .orderBy('day')
    await untilMirrored(db, 'sale')
    const rows = await days(perDay(50))
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
    expect(rows).toHaveLength(9)
    // No row at all, from either.
    expect(await days(perDay(0))).toEqual([])
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
    expect(await days(oltp(perDay(0)))).toEqual([])
    expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'asked for' })
    expect(await days(oltp(perDay(50)))).toEqual(rows)
    expect(events.slice(-2)).toMatchObject([{ reason: 'asked for' }, { reason: 'asked for' }])
    for await (const _ of oltp(perDay(50)).stream(2)) {
      break
    }
    expect(events.slice(-4).map((event) => event.reason)).toEqual([
      'proven equal',
      'asked for',
      'asked for',
      'asked for',
    ])
    const { routes } = await htap(db).status()
    expect(routes.sqlite['asked for']).toBe(3)
    // Nobody has translated this.
    expect(await days(perDay(50).having(sql`random()`, 'is not', null))).toEqual(rows)
    expect((await htap(db).status()).routes.duckdb).toEqual(routes.duckdb)
  })

  it('should be what DuckDB has refused once, for as long as the copy is the same', async () => {
    const { db, events } = openShop({ routing: 'duckdb' }, 50)
    await untilMirrored(db, 'sale')
    const { sqlName } = engineOf(db).tables.findLive('sale')!
    // Somebody has taken a column off the copy behind the engine's back.
    await engineOf(db).store!.writer.execute(`alter table ${sqlName} drop column amount`)
    const right = [{ total: 1387.23, n: 50 }]
    const answer = await totals(db).execute()
    expect(answer).toEqual(await oltp(totals(db)).execute())
    expect(answer).toHaveLength(right.length)
    const reasons = () => events.filter((event) => event.reason === 'DuckDB refused')
    expect(reasons()).toHaveLength(1)
    await totals(db).execute()
    expect(reasons()).toHaveLength(2)
    expect(reasons()[1]!.estimate).not.toBeNull()
    await expect(olap(totals(db)).execute()).rejects.toMatchObject({
      code: 'route-impossible',
      facts: { reason: 'DuckDB refused' },
    })
    await htap(db).rebuild('sale')
    await totals(db).execute()
    expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
  })

  it('should be everything while another process keeps the copy, or none can be kept', async () => {
    const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
    const keeper = await FileLock.tryAcquire(`${database.name}-htap.duckdb.lock`)
    onTestFinished(() => keeper?.release())
    const reasons: string[] = []
    for (let round = 0; round < 5; round++) {
      await totals(db).execute()
      reasons.push(events.at(-1)!.reason)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(reasons).toContain('another process or thread keeps the copy')
    expect(events.every((event) => event.engine === 'sqlite')).toBe(true)
  })

  it('should be a query that meets a damaged block, after which the copy is made anew', async () => {
    const { db, database, events } = openShop({ routing: 'duckdb' }, 20_000)
    await untilMirrored(db, 'sale')
    await db.destroy()
    const again = new Kysely<ShopDB>({
      dialect: new HtapDialect({
        database: new Database(database.name),
        routing: 'duckdb',
        onRoute: (event) => events.push(event),
      }),
    })
    onTestFinished(() => again.destroy())
    await again.selectFrom('person').selectAll().limit(1).execute()
    const engine = engineOf(again)
    await engine.open()
    const mirror = `${database.name}-htap.duckdb`
    overwrite(mirror, 12_288, statSync(mirror).size, () => 255)
    const query = totals(again)
    expect(await query.execute()).toEqual(await oltp(totals(again)).execute())
    await untilMirrored(again, 'sale')
    expect((await htap(again).status()).setAside).not.toBeNull()
  })
})

describe('a transaction on the one connection of a database in memory', () => {
  it('should hide the log, and each level should know what to do', async () => {
    const { db, events } = openInMemory()
    await untilMirrored(db, 'sale')
    let committed = 50
    const hold = async (ms: number) => {
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('sale').values({ person_id: 1, amount: 5, day: 'x' }).execute()
        await new Promise((resolve) => setTimeout(resolve, ms))
      })
      committed++
    }
    /** Asks beside two transactions, again and again until a transaction hid the log. */
    const beside = async <T>(
      query: () => Promise<T>,
      look: (answer: T, atLeast: number) => boolean,
    ): Promise<void> => {
      for (let round = 0; round < 30; round++) {
        const before = committed
        const first = hold(20)
        const pending = query()
        await new Promise((resolve) => setTimeout(resolve, 5))
        const second = hold(50)
        const isHidden = look(await pending, before)
        await Promise.all([first, second])
        if (isHidden) {
          return
        }
      }
      throw new Error('every query has waited')
    }
    const isOneOf = (n: number | undefined, atLeast: number) =>
      expect([atLeast, atLeast + 1, atLeast + 2]).toContain(n)
    for (const consistency of ['session', 'strong'] as const) {
      await beside(
        () => olap(totals(db), { consistency }).execute(),
        ([row], atLeast) => {
          isOneOf(row?.n, atLeast)
          return consistency === 'strong' || committed < atLeast + 2
        },
      )
    }
    await beside(
      () => olap(totals(db), { consistency: 'latest' }).execute(),
      () => events.at(-1)?.lagChanges === null,
    )
    await beside(
      () => htap(db).explain(totals(db)),
      ({ engine, lagChanges }) => engine === 'duckdb' && lagChanges === null,
    )
    expect(await totals(db).execute()).toMatchObject([{ n: committed }])
    expect((await htap(db).verify()).equal).toBe(true)
  })
})

it('a tree with things in it that are no nodes is looked through', () => {
  const shapes = new QueryShapes()
  const from = { kind: 'FromNode', froms: [{ kind: 'TableNode', name: 'sale' }] }
  const select = (extra: object) =>
    ({ kind: 'SelectQueryNode', from, ...extra }) as unknown as RootOperationNode
  const strange = { selections: [null, 7, { kind: 7 }, { noKind: true }, [undefined]] }
  expect(shapes.of({ sql: 'select 1', query: select(strange) }).kind).toBe('plain')
  const hidden = { selections: [{ kind: 'AliasNode', node: { kind: 'AggregateFunctionNode' } }] }
  const text = 'select count(*) from sale'
  expect(shapes.of({ sql: text, query: select(hidden) }).kind).toBe('analytic')
  const nowhere = { kind: 'SelectQueryNode' } as RootOperationNode
  expect(shapes.of({ sql: 'select 2', query: nowhere }).kind).toBe('plain')
})
