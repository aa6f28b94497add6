import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { asOf, changes, history, htap, restoreTable } from '../../dist/dialect/index.js'
import { openHistoryConnection } from '../../dist/src/oltp/open-history-connection.js'
import { applyRetention } from '../../dist/sync/history/retention.js'
import { TestWorld } from '../support/test-world.js'
import { PastApp } from './past-app.js'

// What a failure of the history, or of its copy in DuckDB, means for who asks.

const schema = 'create table product(id integer primary key, name text, price real)'

it('a query of the past is answered by SQLite when DuckDB fails over the copy', async () => {
  const world = new TestWorld()
  const app = await PastApp.open((database) => database.exec(schema))
  await app.run("insert into product values (1, 'pen', 2.5), (2, 'ink', 20)")
  const then = await app.settle()
  world.onDuckDb = (name) => {
    if (name === 'appender_create_ext') {
      throw new Error('IO Error: no such luck')
    }
  }
  const totals = () =>
    asOf(app.db, { position: then.position })
      .selectFrom('product')
      .select(({ fn }) => [fn.countAll().as('n'), fn.sum('price').as('price')])
      .execute()
  expect(await totals()).toEqual([{ n: 2, price: 22.5 }])
  expect(app.events.at(-1)).toMatchObject({
    engine: 'sqlite',
    reason: 'the mirror is not available',
  })
  expect((await htap(app.db).status()).lastError).toMatchObject({ code: 'olap-failed' })
  world.onDuckDb = () => undefined
  expect(await totals()).toEqual([{ n: 2, price: 22.5 }])
  expect(app.events.at(-1)).toMatchObject({ engine: 'duckdb' })
})

it('a history that another program has locked is a typed error, and has everything later', async () => {
  const app = await PastApp.open((database) => database.exec(schema))
  const then = await app.settle()
  const other = new Database(`${app.path}-htap-history`)
  other.exec('begin immediate')
  const failed = {
    code: 'history-failed',
    message: expect.stringContaining('the history cannot be read or written:'),
    facts: { code: 'SQLITE_BUSY' },
  }
  await app.run("insert into product values (1, 'pen', 2.5)")
  const { position } = then
  const future = asOf(app.db, { position: position + 1000 })
    .selectFrom('product')
    .selectAll()
  // Each waits some seconds for the lock.
  await Promise.all([
    expect(htap(app.db).settleHistory()).rejects.toMatchObject(failed),
    expect(changes(app.db, 'product').next()).rejects.toMatchObject(failed),
    expect(restoreTable(app.db, 'product', { to: { position } })).rejects.toMatchObject(failed),
    expect(future.execute()).rejects.toMatchObject(failed),
  ])
  expect(await app.db.selectFrom('product').selectAll().execute()).toHaveLength(1)
  other.close()
  expect(await future.execute()).toEqual([{ id: 1, name: 'pen', price: 2.5 }])
})

/** Prices of one product, as DuckDB's copy of its history has them. */
async function pricesOf(app: PastApp): Promise<number[]> {
  const rows = await history(app.db)
    .selectFrom('product')
    .select('price')
    .where('id', '=', 1)
    .orderBy('valid_from')
    .execute()
  expect(app.events.at(-1)).toMatchObject({ engine: 'duckdb' })
  return rows.map((row) => row['price'] as number)
}

async function openWithVersions(): Promise<PastApp> {
  const app = await PastApp.open((database) => database.exec(schema))
  await app.run("insert into product values (1, 'pen', 1), (2, 'ink', 1)")
  for (const price of [2, 3, 4]) {
    await app.run(`update product set price = ${price}`)
    await app.settle()
  }
  expect(await pricesOf(app)).toEqual([1, 2, 3, 4])
  return app
}

const noDrop = (name: string, sql: string) => {
  if (name === 'query' && sql.startsWith('drop table')) {
    throw new Error('IO Error: no such luck')
  }
}

it('versions that were given up do not come back from a copy that could not be dropped', async () => {
  const world = new TestWorld()
  const app = await openWithVersions()
  world.onDuckDb = noDrop
  expect(await htap(app.db).retainHistory({ versionsPerKey: 2 })).toMatchObject([{ versions: 4 }])
  await app.stop()
  world.onDuckDb = () => undefined
  app.start()
  expect(await pricesOf(app)).toEqual([3, 4])
})

it('versions that another process has given up are not shown from the copy', async () => {
  const app = await openWithVersions()
  const other = await openHistoryConnection(`${app.path}-htap-history`, app.path)
  await applyRetention(other, { versionsPerKey: 2 })
  other.close()
  expect(await pricesOf(app)).toEqual([3, 4])
})

it('an erasure that could not clear the copy says so, and a second one does', async () => {
  const world = new TestWorld()
  const app = await openWithVersions()
  const secret = 'quite-a-secret-name'
  await app.run(
    'pragma secure_delete = on',
    `insert into product values (9, '${secret}', 1)`,
    'delete from product where id = 9',
  )
  const names = history(app.db).selectFrom('product').select('name').where('id', '=', 9)
  expect(await names.execute()).toEqual([{ name: secret }])
  world.onDuckDb = noDrop
  await expect(htap(app.db).eraseHistory('product', { id: 9 })).rejects.toMatchObject({
    code: 'history-failed',
    message: expect.stringMatching(/may still stand in DuckDB's copy:.*erase it again/),
  })
  world.onDuckDb = () => undefined
  expect(await names.execute()).toEqual([])
  await htap(app.db).eraseHistory('product', { id: 9 })
  await app.stop()
  expect(readFileSync(`${app.path}-htap.duckdb`).includes(secret)).toBe(false)
})
