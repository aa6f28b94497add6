import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { expect, it } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  HtapError,
  htap,
  olap,
} from '../../dist/dialect/index.js'
import { assert, unreachable } from '../../dist/src/core/assert.js'
import { openReadThreads } from '../../dist/src/oltp/open-reads.js'
import { createItems, openShop as openItems, temporaryFile } from '../dialect/shop.js'
import { batchOf } from '../olap/batches.js'
import { oneColumn, openStore } from '../olap/stores.js'
import { openShop, totals } from '../support/shop.js'
import { tempFolder } from '../support/temp-folder.js'

// Errors as they read, each raised by what it is about. `test/docs/errors.test.ts` refuses one whose
// words no test expects; those that take more to be raised are expected where they are.

async function errorOf(call: () => unknown): Promise<HtapError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(HtapError)
    return error as HtapError
  }
  throw new Error('nothing was raised')
}

async function expectError(call: () => unknown, code: string, message: string): Promise<void> {
  const error = await errorOf(call)
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringContaining(message),
  })
}

const configured = (config: object) => () =>
  new HtapDialect({ database: ':memory:', ...config } as HtapDialectConfig)

it.each<[string, object]>([
  ['`database` is missing', { database: undefined }],
  ["`olap.whenLocked` must be 'sqlite' or 'memory'", { olap: { whenLocked: 'wait' } }],
  ['`sync.logRowsMax` must be a whole number >= 1000', { sync: { logRowsMax: 10 } }],
  ['`sync.onSetAside` must be a function', { sync: { onSetAside: 'log' } }],
  ['`shadow.sampleRate` must be a number from 0 to 1', { shadow: { sampleRate: 2 } }],
  ['`shadow.maxRows` must be a whole number >= 1', { shadow: { sampleRate: 1, maxRows: 0 } }],
  ['`shadow.onMismatch` must be a function', { shadow: { sampleRate: 1, onMismatch: 1 } }],
])('%s', (message, config) => expectError(configured(config), 'config-invalid', message))

it('settings of a path', async () => {
  const query = (pragmas: object) => () =>
    sql`select 1`.execute(openItems({ database: temporaryFile(), pragmas }))
  const busyTimeout = '`pragmas.busyTimeoutMs` must be a whole number >= 0'
  await expectError(query({ busyTimeoutMs: -1 }), 'config-invalid', busyTimeout)
  await expectError(query({ journalMode: 'a b' }), 'config-invalid', 'journal_mode cannot be "a b"')
})

it('a copy in the place of the database, another dialect, no copy', async () => {
  const path = temporaryFile()
  const own = openItems({ database: path, olap: { path } })
  const isOwn = '`olap.path` is the path of the database itself'
  await expectError(() => sql`select 1`.execute(own), 'config-invalid', isOwn)
  const stock = new Kysely({ dialect: new SqliteDialect({ database: new Database(':memory:') }) })
  await expectError(() => htap(stock), 'config-invalid', 'this Kysely instance has another dialect')
  const { db } = openShop({ sync: false }, 10)
  await totals(db).execute()
  const without = 'this instance keeps no copy'
  await expectError(() => htap(db).syncNow(), 'mirror-unavailable', without)
  const nowhere = openShop({ olap: { path: '/proc/nowhere/copy.duckdb' } }, 10)
  await totals(nowhere.db).execute()
  const error = await errorOf(() => htap(nowhere.db).syncNow())
  expect(error).toMatchObject({
    code: 'mirror-unavailable',
    message: expect.stringContaining('there is no mirror that serves'),
    cause: { message: expect.stringContaining('no copy can be kept at /proc/nowhere') },
  })
})

it('connections that have ended', async () => {
  const db = openItems({ database: ':memory:' })
  await createItems(db, 1)
  const items = db.selectFrom('item').selectAll()
  await db.connection().execute(async (it) => {
    const remove = async () => {
      for await (const _ of it.deleteFrom('item').returning('id').stream()) {
        throw new Error('a row')
      }
    }
    await expectError(remove, 'streaming-unsupported', 'only a plain select can be streamed')
  })
  const reading = db.transaction().setAccessMode('read only')
  const write = () => reading.execute((trx) => trx.deleteFrom('item').where('id', '=', 1).execute())
  await expectError(write, 'read-only-violation', 'a read only transaction cannot write')
  const kept = await db.startTransaction().execute()
  await kept.commit().execute()
  const driver = (db.getExecutor() as unknown as { readonly adapter: { readonly driver: Driver } })
    .adapter.driver
  const connection = await driver.acquireConnection()
  await driver.releaseConnection(connection)
  const late = () => connection.executeQuery(items.compile())
  await expectError(late, 'closed', 'the connection is closed')
  const unconnected = new HtapDialect({ database: ':memory:' }).createDriver()
  const early = () => unconnected.acquireConnection()
  await expectError(early, 'closed', 'the driver is not connected')
})

interface Driver {
  acquireConnection(): Promise<{ executeQuery(query: unknown): Promise<unknown> }>
  releaseConnection(connection: unknown): Promise<void>
}

it('a read on a thread that is ended', async () => {
  const database = new Database(join(tempFolder(), 'threads.db'))
  database.pragma('journal_mode = wal')
  const threads = await openReadThreads(database)
  const text = `with recursive c(n) as (select 1 union all select n + 1 from c where n < 4000000)
    select count(*) from c`
  const read = errorOf(() => threads?.run({ sql: text, parameters: [], integers: 'number' }))
  await new Promise((resolve) => setTimeout(resolve, 200))
  await threads?.close()
  expect(await read).toMatchObject({
    code: 'closed',
    message: 'the database was closed while the query ran',
  })
  database.close()
})

it.each([
  ['select 1, 2', 'the result has 2 columns where 1 were expected'],
  ["select date '2024-01-01'", 'a result column has the type DATE, which SQLite does not know'],
  ['select 99999999999999999999::hugeint', 'an integer of the result is outside of 64 bits'],
  ["select 'nan'::double", 'a value of the result is not a number'],
])('a result of DuckDB that nobody expects: %s', async (text, message) => {
  const store = await openStore()
  const read = () => store.rows({ sql: text, parameters: [] }, oneColumn)
  await expectError(read, 'olap-result-unexpected', message)
})

it('statements and values that DuckDB must not get', async () => {
  const store = await openStore()
  const run = (text: string, parameters: readonly bigint[]) => () =>
    store.rows({ sql: text, parameters }, oneColumn)
  await expectError(run('select ?', [1n, 2n]), 'olap-failed', 'the statement has 1 parameters, 2 ')
  const large = 'a bigint parameter is outside of 64 bits'
  await expectError(run('select ?', [2n ** 63n]), 'olap-failed', large)
  await expectError(run('select nope', []), 'olap-failed', 'the column store failed: ')
  await store.writer.execute('create table t(a varchar)')
  const target = { catalog: null, schema: 'main', table: 't' }
  const appender = await store.writer.appender(target, ['utf8'])
  const batch = batchOf(['utf8'], [['abc']])
  const [column] = batch.columns
  if (column !== undefined && 'data' in column) {
    column.data.fill(255)
  }
  await expectError(() => appender.append(batch), 'olap-failed', 'a text is not valid UTF-8')
  appender.close()
})

it('queries that insist on DuckDB', async () => {
  const { db } = openShop({}, 10)
  const write = db.deleteFrom('sale')
  const reads = 'only reads can be had as an Arrow table'
  await expectError(() => htap(db).arrow(write), 'route-impossible', reads)
  const random = olap(db.selectFrom('sale').select(sql`sum(random())`.as('n')))
  const impossible = 'DuckDB cannot answer this query: '
  await expectError(() => random.execute(), 'route-impossible', impossible)
})

it('faults of our own', async () => {
  const broken = () => assert(false, 'one and one are three')
  await expectError(broken, 'assertion', 'invariant broken: one and one are three')
  const value = () => unreachable('surprise' as never)
  await expectError(value, 'assertion', 'unreachable value: surprise')
})
