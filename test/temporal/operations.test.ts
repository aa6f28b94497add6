import { readFileSync } from 'node:fs'
import { Kysely, SqliteDialect } from 'kysely'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  asOf,
  type Change,
  changes,
  diff,
  history,
  htap,
  restoreTable,
  withActor,
} from '../../dist/dialect/index.js'
import { PastApp } from './past-app.js'

interface Product {
  id: number
  name: string
  price: number
}

const schema = `
  create table product(id integer primary key, name text not null, price real);
  insert into product values (1, 'pen', 2.5), (2, 'ink', 20), (3, 'pad', 4)`

async function open(): Promise<{ app: PastApp; db: Kysely<{ product: Product }> }> {
  const app = await PastApp.open((database) => database.exec(schema))
  return { app, db: app.db }
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  for await (const row of rows) {
    taken.push(row)
  }
  return taken
}

describe('changes and diff', () => {
  it('should tell who changed what, from what to what', async () => {
    const { app, db } = await open()
    const from = await app.settle()
    await withActor(db, { actor: 'ada', message: 'sale' }, async (trx) => {
      await trx.updateTable('product').set({ price: 2 }).where('id', '=', 1).execute()
      await trx.deleteFrom('product').where('id', '=', 3).execute()
    })
    await app.run("insert into product values (4, 'cup', 1)")
    const position = { position: from.position }
    const told = await all(changes(db, 'product', { from: position }))
    expect(told).toMatchObject([
      {
        operation: 'U',
        actor: 'ada',
        message: 'sale',
        before: { price: 2.5 },
        after: { price: 2 },
      },
      { operation: 'D', actor: 'ada', before: { id: 3, name: 'pad', price: 4 }, after: null },
      { operation: 'I', actor: null, before: null, after: { id: 4, name: 'cup', price: 1 } },
    ])
    expectTypeOf(told).toEqualTypeOf<Change<Product>[]>()
    const ofOne = await all(changes(db, 'product', { where: { id: 1 } }))
    expect(ofOne.map(({ operation, kind }) => [operation, kind])).toEqual([
      ['I', 'initial'],
      ['U', 'commit'],
    ])
    const differences = await all(diff(db, 'product', position, new Date()))
    expect(differences.map(({ difference }) => difference).sort()).toEqual([
      'added',
      'changed',
      'removed',
    ])
  })

  it('should refuse what it cannot tell', async () => {
    const { db } = await open()
    const early = all(changes(db, 'product', { from: '2020-01-01' }))
    await expect(early).rejects.toMatchObject({ code: 'history-incomplete' })
    const none = all(changes(db, 'sale' as 'product'))
    await expect(none).rejects.toMatchObject({ code: 'history-missing' })
    const column = all(changes(db, 'product', { where: { colour: 1 } as Partial<Product> }))
    await expect(column).rejects.toMatchObject({ code: 'config-invalid' })
    const stock = new Kysely<{ product: Product }>({
      dialect: new SqliteDialect({ database: async () => Promise.reject(new Error('never')) }),
    })
    await expect(all(changes(stock, 'product'))).rejects.toMatchObject({ code: 'config-invalid' })
  })
})

describe('restoreTable', () => {
  it('should bring rows and tables back by new changes', async () => {
    const { app, db } = await open()
    const to = { position: (await app.settle()).position }
    await app.run('update product set price = 0', 'delete from product where id = 2')
    expect(await restoreTable(db, 'product', { to, where: { id: 1 } })).toMatchObject({
      inserted: 0,
      updated: 1,
      deleted: 0,
    })
    expect(await restoreTable(db, 'product', { to })).toMatchObject({ inserted: 1, updated: 1 })
    expect(await db.selectFrom('product').selectAll().orderBy('id').execute()).toEqual(
      await asOf(db, to).selectFrom('product').selectAll().orderBy('id').execute(),
    )
    const versions = await history(db)
      .selectFrom('product')
      .where('id', '=', 1)
      .select('price')
      .execute()
    expect(versions.map(({ price }) => price)).toEqual([2.5, 0, 2.5])
  })

  it('should be a part of a transaction, and undone with it', async () => {
    const { app, db } = await open()
    const to = { position: (await app.settle()).position }
    await app.run('delete from product')
    const failing = db.transaction().execute(async (trx) => {
      await restoreTable(trx, 'product', { to })
      expect(await trx.selectFrom('product').select('id').execute()).toHaveLength(3)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await db.selectFrom('product').select('id').execute()).toEqual([])
  })
})

describe('retention and erasing', () => {
  it('should give up old versions, after a dry run that says which, and refuse to go back behind them', async () => {
    const { app, db } = await open()
    const begin = { position: (await app.settle()).position }
    for (let price = 1; price <= 5; price++) {
      await app.run(`update product set price = ${price} where id = 1`)
    }
    await asOf(db, begin).selectFrom('product').selectAll().execute()
    const planned = await htap(db).retainHistory({ versionsPerKey: 2, dryRun: true })
    expect(planned[0]).toMatchObject({ versions: 4 })
    const done = await htap(db).retainHistory({ versionsPerKey: 2 })
    expect(done[0]).toMatchObject({ versions: 4 })
    const early = asOf(db, begin).selectFrom('product').selectAll().execute()
    await expect(early).rejects.toMatchObject({ code: 'history-incomplete' })
    const now = await asOf(db, new Date()).selectFrom('product').selectAll().orderBy('id').execute()
    expect(now).toEqual(await db.selectFrom('product').selectAll().orderBy('id').execute())
    const versions = await history(db)
      .selectFrom('product')
      .where('id', '=', 1)
      .select('price')
      .execute()
    expect(versions.map(({ price }) => price)).toEqual([4, 5])
  })

  it('should count what was written a moment ago in a dry run, too', async () => {
    const { app, db } = await open()
    await app.run('update product set price = 1', 'update product set price = 2')
    const planned = await htap(db).retainHistory({ versionsPerKey: 1, dryRun: true })
    expect(planned[0]).toMatchObject({ versions: 6 })
  })

  it('should erase a row from history, log and copy', async () => {
    const { app, db } = await open()
    const secret = 'quite-a-secret-name'
    await app.run(`pragma secure_delete = on`, `insert into product values (9, '${secret}', 1)`)
    const { position } = await app.settle()
    const then = asOf(db, { position }).selectFrom('product').where('id', '=', 9).selectAll()
    expect(await then.execute()).toHaveLength(1)
    await app.run('delete from product where id = 9')
    const erased = await htap(db).eraseHistory('product', { id: 9 })
    expect(erased).toMatchObject({ versions: 2, begunAnew: 0 })
    expect(await then.execute()).toEqual([])
    await app.stop()
    for (const file of [app.path, `${app.path}-htap-history`, `${app.path}-htap.duckdb`]) {
      expect(readFileSync(file).includes(secret)).toBe(false)
    }
  })
})
