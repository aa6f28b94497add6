import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { asOf, changes, htap, restoreTable } from '../../dist/dialect/index.js'
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
