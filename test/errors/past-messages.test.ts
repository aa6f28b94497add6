import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import {
  asOf,
  changes,
  HtapDialect,
  type HtapDialectConfig,
  htap,
  restoreTable,
} from '../../dist/dialect/index.js'
import { PastApp } from '../temporal/past-app.js'

// What errors of the past say, word by word; their codes are expected where their cases are tested.

const schema = `create table product(id integer primary key, price real);
  create table other(id integer primary key); insert into product values (1, 2)`

function open(config: Partial<HtapDialectConfig> = {}): Promise<PastApp> {
  return PastApp.open((database) => database.exec(schema), config)
}

function connect(database: HtapDialectConfig['database'], sync: HtapDialectConfig['sync']) {
  return new Kysely({ dialect: new HtapDialect({ database, ...(sync ? { sync } : {}) }) })
}

it('of options that make no sense', async () => {
  const make = (sync: unknown) => () => connect('x.db', sync as HtapDialectConfig['sync'])
  expect(make({ mode: 'history' })).toThrow("`sync.mode` must be 'mirror' or 'temporal'")
  const columns = { validFrom: 'at', validTo: 'AT' }
  expect(make({ history: { columns } })).toThrow('`sync.history.columns` must be different names')
  const mirrored = await open()
  const own = connect(mirrored.path, { mode: 'temporal', history: { path: mirrored.path } })
  await expect(sql`select 1`.execute(own)).rejects.toThrow(
    '`sync.history.path` is the path of the database itself',
  )
  const elsewhere = connect(mirrored.path, {
    mode: 'temporal',
    history: { path: `${mirrored.path}-elsewhere` },
  })
  await expect(sql`select 1`.execute(elsewhere)).rejects.toThrow(
    'another instance has this database open without its history',
  )
  const memory = connect(new Database(':memory:'), { mode: 'temporal' })
  await expect(sql`select 1`.execute(memory)).rejects.toThrow(
    'temporal mode needs a database file in WAL mode',
  )
  const noHistory = connect(new Database(':memory:'), { mode: 'mirror' })
  await expect(sql`select 1`.execute(asOf(noHistory, new Date()))).rejects.toThrow(
    'this instance keeps no history',
  )
  await noHistory.destroy()
})

it('of moments, and of what a moment cannot show', async () => {
  const app = await open({ sync: { mode: 'temporal', tables: { other: { mode: 'mirror' } } } })
  expect(() => asOf(app.db, 'yesterday')).toThrow('not a moment:')
  const query = (moment: string, table = 'product') =>
    asOf(app.db, moment).selectFrom(table).selectAll()
  await expect(query('2020-01-01').execute()).rejects.toThrow(
    'the history begins after this moment',
  )
  const future = '2200-01-01'
  await expect(query(future, 'other').execute()).rejects.toThrow('has no history at this moment')
  await expect(asOf(app.db, future).deleteFrom('product').execute()).rejects.toThrow(
    'the past cannot be written',
  )
  await expect(htap(app.db).arrow(query(future))).rejects.toThrow(
    'a query of the past gives no Arrow table',
  )
})

it('of what the history does not have any more', async () => {
  const app = await open()
  const to = { position: (await app.settle()).position }
  await app.run('update product set price = 3', 'update product set price = 4')
  await expect(htap(app.db).retainHistory({})).rejects.toThrow(
    'a retention needs olderThanMs, of 0 or more, or versionsPerKey, of 1 or more',
  )
  await htap(app.db).retainHistory({ versionsPerKey: 1 })
  const early = asOf(app.db, to).selectFrom('product').selectAll().execute()
  await expect(early).rejects.toThrow('does not reach back to position')
  const unknown = changes(app.db, 'product', { where: { colour: 1 } }).next()
  await expect(unknown).rejects.toThrow('never had a column')
  const now = { position: (await app.settle()).position }
  await app.run('drop table product')
  await expect(restoreTable(app.db, 'product', { to: now })).rejects.toThrow('cannot be restored:')
})
