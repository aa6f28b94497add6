import { chmodSync, rmSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  asOf,
  asOfTable,
  HtapDialect,
  type HtapDialectConfig,
  history,
  htap,
  olap,
  oltp,
} from '../../dist/dialect/index.js'
import { PastApp } from './past-app.js'

const schema = `
  create table product(id integer primary key, name text not null, price real);
  create index by_name on product(name);
  create table sale(id integer primary key, product int, amount int);
  create view cheap as select * from product where price < 10;
  insert into product values (1, 'pen', 2.5), (2, 'ink', 20), (3, 'pad', 4)`

function open(config: Parameters<typeof PastApp.open>[1] = {}): Promise<PastApp> {
  return PastApp.open((database) => database.exec(schema), config)
}

describe('asOf', () => {
  it('should show every table of a query at one moment', async () => {
    const app = await open()
    await app.run('insert into sale values (1, 1, 10), (2, 2, 5)')
    const { position } = await app.settle()
    await app.run(
      'begin',
      'update product set price = 99',
      'delete from sale where id = 2',
      'commit',
    )
    const totals = (db: typeof app.db) =>
      db
        .selectFrom('sale')
        .innerJoin('product', 'product.id', 'sale.product')
        .select(({ fn }) => ['product.name', fn.max('product.price').as('price')])
        .select((eb) => eb.selectFrom('sale').select(eb.fn.countAll().as('n')).as('sales'))
        .groupBy('product.name')
        .orderBy('product.name')
        .execute()
    expect(await totals(asOf(app.db, { position }))).toEqual([
      { name: 'ink', price: 20, sales: 2 },
      { name: 'pen', price: 2.5, sales: 2 },
    ])
    expect(await totals(app.db)).toEqual([{ name: 'pen', price: 99, sales: 1 }])
    expect(app.events.at(-2)).toMatchObject({ engine: 'duckdb', reason: 'the past' })
  })

  it('should take a Date, a text and an instant, and the moment after the last for now', async () => {
    const app = await open()
    await app.run("update product set name = 'pencil' where id = 1")
    const { instant } = await app.settle()
    await app.run("update product set name = 'brush' where id = 1")
    const name = async (moment: Parameters<typeof asOf>[1]) => {
      const pen = asOf(app.db, moment).selectFrom('product').where('id', '=', 1)
      return (await pen.select('name').executeTakeFirst())?.['name']
    }
    const ms = Math.floor(instant / 1000)
    const micros = String(instant % 1000).padStart(3, '0')
    expect(await name({ instant })).toBe('pencil')
    expect(await name({ instant: instant - 1 })).toBe('pen')
    expect(await name(new Date(ms).toISOString().replace('Z', `${micros}Z`))).toBe('pencil')
    expect(await name(new Date(ms + 60_000))).toBe('brush')
    expect(await name({ position: 1e9 })).toBe('brush')
  })

  it('should answer on SQLite what DuckDB does not, as the source would have', async () => {
    const app = await open()
    const { position } = await app.settle()
    await app.run('delete from product')
    const past = asOf(app.db, { position })
    const query = sql<{ n: number }>`select count(*) as n from product where name regexp 'x'`
    await expect(query.execute(past)).rejects.toThrow(/no such function: regexp/i)
    const printf = sql`select printf('%05d', id) as text from product order by id`
    expect((await printf.execute(past)).rows).toEqual([
      { text: '00001' },
      { text: '00002' },
      { text: '00003' },
    ])
    expect(app.events.at(-1)).toMatchObject({ engine: 'sqlite' })
    const all = oltp(past).selectFrom('cheap').selectAll()
    expect(await all.execute()).toEqual([
      { id: 1, name: 'pen', price: 2.5 },
      { id: 3, name: 'pad', price: 4 },
    ])
  })

  it('should join a table of now with itself of then', async () => {
    const app = await open()
    const then = { position: (await app.settle()).position }
    await app.run(
      'update product set price = price * 2 where id <> 2',
      'delete from product where id = 3',
    )
    const query = app.db
      .selectFrom('product as now')
      .innerJoin(asOfTable(app.db, 'product', then).as('then'), 'then.id', 'now.id')
      .whereRef('now.price', '>', 'then.price')
      .select(['now.id', 'then.price as before', 'now.price'])
    expect(await query.execute()).toEqual([{ id: 1, before: 2.5, price: 5 }])
    expect(await oltp(query).execute()).toEqual([{ id: 1, before: 2.5, price: 5 }])
  })

  it('should stream, and say where it runs', async () => {
    const app = await open()
    const { position } = await app.settle()
    const query = asOf(app.db, { position }).selectFrom('product').select('id').orderBy('id')
    const ids: unknown[] = []
    for await (const { id } of query.stream(2)) {
      ids.push(id)
    }
    expect(ids).toEqual([1, 2, 3])
    expect(await htap(app.db).explain(query)).toMatchObject({
      engine: 'duckdb',
      reason: 'the past',
    })
    expect(await htap(app.db).explain(oltp(query))).toMatchObject({ engine: 'sqlite' })
  })

  it('should keep a history that is as closed as the database', async () => {
    const app = await open()
    expect(statSync(`${app.path}-htap-history`).mode).toBe(statSync(app.path).mode)
    await app.stop()
    chmodSync(app.path, 0o600)
    rmSync(`${app.path}-htap-history`)
    app.start()
    await app.settle()
    expect(statSync(`${app.path}-htap-history`).mode & 0o777).toBe(0o600)
    expect(await history(app.db).selectFrom('product').select('id').execute()).toHaveLength(3)
  })

  it('should lose no version with the file of DuckDB', async () => {
    const app = await open()
    const { position } = await app.settle()
    await app.run('delete from product where id > 1')
    const names = () =>
      asOf(app.db, { position }).selectFrom('product').select('name').orderBy('name').execute()
    const before = await names()
    await app.stop()
    for (const suffix of ['', '.wal']) {
      rmSync(`${app.path}-htap.duckdb${suffix}`, { force: true })
    }
    app.start()
    expect(await names()).toEqual(before)
    expect(before).toHaveLength(3)
    expect(app.events.at(-1)).toMatchObject({ engine: 'duckdb' })
  })

  it('should go on with its copies after a restart, but not with those of another history', async () => {
    const app = await open()
    const names = (moment: Parameters<typeof asOf>[1]) =>
      asOf(app.db, moment).selectFrom('product').select('name').orderBy('id').execute()
    await app.run("update product set name = 'quill' where id = 1")
    const first = await app.settle()
    const before = await names(first)
    expect(before).toEqual([{ name: 'quill' }, { name: 'ink' }, { name: 'pad' }])
    await app.stop()
    app.start()
    await app.run(
      "update product set name = 'brush' where id = 1",
      'delete from product where id = 2',
    )
    expect(await names(await app.settle())).toEqual([{ name: 'brush' }, { name: 'pad' }])
    expect(await names(first)).toEqual(before)
    expect(app.events.at(-1)).toMatchObject({ engine: 'duckdb' })
    await app.stop()
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(`${app.path}-htap-history${suffix}`, { force: true })
    }
    app.start()
    expect(await names(await app.settle())).toEqual([{ name: 'brush' }, { name: 'pad' }])
    expect(app.events.at(-1)).toMatchObject({ engine: 'duckdb' })
    expect(await history(app.db).selectFrom('product').select('id').execute()).toHaveLength(2)
  })

  it('should see what is committed in another process, and in a transaction only what is committed', async () => {
    const app = await open()
    const other = app.open()
    other.exec("insert into product values (4, 'cup', 1)")
    other.close()
    const now = () =>
      asOf(app.db, new Date(Date.now() + 1000))
        .selectFrom('product')
        .select('id')
    expect(await now().execute()).toHaveLength(4)
    await app.db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom('product').execute()
      const rows = await asOf(transaction, new Date()).selectFrom('product').select('id').execute()
      expect(rows).toHaveLength(4)
    })
  })
})

describe('asOf refuses', () => {
  it('moments that are none, and those before the history began', async () => {
    const app = await open()
    expect(() => asOf(app.db, 'yesterday')).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    )
    expect(() => asOf(app.db, new Date(Number.NaN))).toThrow(/invalid Date/)
    const before = asOf(app.db, '2020-01-01').selectFrom('product').selectAll().execute()
    await expect(before).rejects.toMatchObject({ code: 'history-incomplete' })
  })

  it('tables without history, never showing their rows of today', async () => {
    const app = await open({ sync: { mode: 'temporal', tables: { sale: { mode: 'mirror' } } } })
    const { position } = await app.settle()
    const past = asOf(app.db, { position })
    for (const db of [past, oltp(past), olap(past)]) {
      const query = db.selectFrom('sale').selectAll().execute()
      await expect(query).rejects.toMatchObject({ code: 'history-missing' })
    }
    await expect(past.selectFrom('nothing').selectAll().execute()).rejects.toThrow(/no such table/)
    expect(await past.selectFrom('product').select('id').execute()).toHaveLength(3)
  })

  it('everything without temporal mode', async () => {
    const app = await open({ sync: { mode: 'mirror' } }).catch((error) => error)
    expect(app).toMatchObject({ code: 'history-missing' })
  })

  it('a mode that is none, a database without a file, and a path that is taken', async () => {
    for (const sync of [
      { mode: 'history' },
      { tables: { sale: { mode: 'audit' } } },
      { history: { columns: { validFrom: 'at', validTo: 'AT' } } },
    ]) {
      const config = { database: ':memory:', sync } as unknown as HtapDialectConfig
      expect(() => new HtapDialect(config)).toThrow(
        expect.objectContaining({ code: 'config-invalid' }),
      )
    }
    const memory = new Kysely({
      dialect: new HtapDialect({ database: new Database(':memory:'), sync: { mode: 'temporal' } }),
    })
    await expect(sql`select 1`.execute(memory)).rejects.toMatchObject({ code: 'config-invalid' })
    const app = await open()
    const history = { path: app.path }
    const taken = new Kysely({
      dialect: new HtapDialect({ database: app.path, sync: { mode: 'temporal', history } }),
    })
    await expect(sql`select 1`.execute(taken)).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('writes', async () => {
    const app = await open()
    const past = asOf(app.db, new Date())
    const write = past.insertInto('product').values({ id: 9, name: 'x' }).execute()
    await expect(write).rejects.toMatchObject({ code: 'read-only-violation' })
    const raw = sql`delete from product`.execute(past)
    await expect(raw).rejects.toMatchObject({ code: 'read-only-violation' })
    expect(await app.db.selectFrom('product').select('id').execute()).toHaveLength(3)
  })

  it('an answer of DuckDB where that is insisted on and it has none', async () => {
    const app = await open()
    const past = olap(asOf(app.db, new Date()))
    const query = sql`select printf('%d', id) as n from product`.execute(past)
    await expect(query).rejects.toMatchObject({ code: 'route-impossible' })
  })
})

describe('history', () => {
  async function withHistory(): Promise<{ app: PastApp; instants: number[] }> {
    const app = await open()
    const instants = [(await app.settle()).instant]
    for (const change of [
      'update product set price = 3 where id = 1',
      'update product set price = 4 where id = 1',
      'delete from product where id = 1',
    ]) {
      await app.run(change)
      instants.push((await app.settle()).instant)
    }
    return { app, instants }
  }

  it('should show every version with its period', async () => {
    const { app, instants } = await withHistory()
    const [first, second, third, fourth] = instants as [number, number, number, number]
    for (const db of [history(app.db), oltp(history(app.db))]) {
      const rows = await db
        .selectFrom('product')
        .where('id', '=', 1)
        .select(['price', 'valid_from', 'valid_to', 'operation'])
        .orderBy('valid_from')
        .execute()
      expect(rows).toEqual([
        { price: 2.5, valid_from: first, valid_to: second, operation: 'I' },
        { price: 3, valid_from: second, valid_to: third, operation: 'U' },
        { price: 4, valid_from: third, valid_to: fourth, operation: 'U' },
      ])
    }
  })

  it('should show the ends of rows where they are asked for', async () => {
    const { app, instants } = await withHistory()
    const end = instants[3] as number
    for (const db of [
      history(app.db, { deleted: true }),
      oltp(history(app.db, { deleted: true })),
    ]) {
      const rows = await db.selectFrom('product').where('operation', '=', 'D').selectAll().execute()
      expect(rows).toMatchObject([{ id: 1, valid_from: end, valid_to: end, operation: 'D' }])
    }
  })

  it('should show what held in a period, by the rules for half-open periods', async () => {
    const { app, instants } = await withHistory()
    const at = (n: number) => ({ instant: instants[n] as number })
    const prices = async (filter: Parameters<typeof history>[1]) => {
      const answers = []
      for (const db of [history(app.db, filter), oltp(history(app.db, filter))]) {
        const rows = await db
          .selectFrom('product')
          .where('name', '=', 'pen')
          .select('price')
          .execute()
        answers.push(rows.map(({ price }) => price))
      }
      expect(answers[0]).toEqual(answers[1])
      return answers[0]
    }
    expect(await prices({ between: [at(0), at(1)] })).toEqual([2.5, 3])
    expect(await prices({ fromTo: [at(0), at(1)] })).toEqual([2.5])
    expect(await prices({ between: [at(1), at(1)] })).toEqual([3])
    expect(await prices({ containedIn: [at(1), at(3)] })).toEqual([3, 4])
    expect(await prices({ containedIn: [at(1), at(2)] })).toEqual([3])
  })

  it('should keep columns that were dropped or renamed, and fill those that were added', async () => {
    const app = await open()
    await app.run(
      'alter table product rename column price to cost',
      "alter table product add column unit text default 'piece'",
      'drop index by_name',
      'drop view cheap',
      'update product set cost = 1 where id = 1',
      'alter table product drop column name',
      'update product set cost = 2 where id = 1',
    )
    const db = history(app.db) as unknown as typeof app.db
    const rows = await db
      .selectFrom('product')
      .where('id', '=', 1)
      .select(['name', 'cost', 'unit'])
      .orderBy('position')
      .execute()
    expect(rows[0]).toEqual({ name: 'pen', cost: 2.5, unit: 'piece' })
    expect(rows.at(-1)).toEqual({ name: null, cost: 2, unit: 'piece' })
  })

  it('should use other names, and refuse a table that has them', async () => {
    const columns = { validFrom: 'since', validTo: 'amount' }
    const app = await open({ sync: { mode: 'temporal', history: { columns } } })
    const { history: status } = await htap(app.db).status()
    expect(status?.refused).toEqual([
      { table: 'sale', reason: 'its column amount has a name that belongs to the history' },
    ])
    const rows = await (history(app.db) as unknown as typeof app.db)
      .selectFrom('product')
      .select(['id', 'since', 'amount'])
      .execute()
    expect(rows).toHaveLength(3)
    const refused = asOf(app.db, new Date()).selectFrom('sale').selectAll().execute()
    await expect(refused).rejects.toThrow(/amount has a name/)
  })
})
