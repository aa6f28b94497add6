import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { HtapDialect, HtapError } from '../../dist/dialect/index.js'
import { createItems, openShop, type Shop, temporaryFile, temporaryFolder } from './shop.js'

describe('opening', () => {
  it('takes a path, sets WAL, normal sync and the busy timeout', async () => {
    const db = openShop({ database: temporaryFile() })
    const settings = await sql`
      select (select journal_mode from pragma_journal_mode) as journal,
        (select synchronous from pragma_synchronous) as sync,
        (select timeout from pragma_busy_timeout) as timeout
    `.execute(db)
    expect(settings.rows).toEqual([{ journal: 'wal', sync: 1, timeout: 5000 }])
  })

  it('lets the settings of a path be chosen', async () => {
    const pragmas = { journalMode: 'delete', synchronous: 'full', busyTimeoutMs: 7 } as const
    const db = openShop({ database: temporaryFile(), pragmas })
    const settings = await sql`
      select (select journal_mode from pragma_journal_mode) as journal,
        (select synchronous from pragma_synchronous) as sync,
        (select timeout from pragma_busy_timeout) as timeout
    `.execute(db)
    expect(settings.rows).toEqual([{ journal: 'delete', sync: 2, timeout: 7 }])
  })

  it('refuses a setting that is no word', async () => {
    const pragmas = { journalMode: 'wal; drop table x' as 'wal' }
    const db = openShop({ database: temporaryFile(), pragmas })
    await expect(sql`select 1`.execute(db)).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('takes an instance and leaves its settings alone', async () => {
    const database = new Database(temporaryFile())
    const db = openShop({ database })
    await createItems(db, 3)
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete')
    expect(await db.selectFrom('item').select('id').execute()).toHaveLength(3)
  })

  it('calls a factory once, for the first query, and tells of the connection', async () => {
    const calls: string[] = []
    const db = openShop({
      database: () => {
        calls.push('factory')
        return new Database(':memory:')
      },
      onCreateConnection: (database) => {
        calls.push(`created ${database.open}`)
      },
    })
    expect(calls).toEqual([])
    await Promise.all([sql`select 1`.execute(db), sql`select 2`.execute(db)])
    expect(calls).toEqual(['factory', 'created true'])
  })

  it('tries again after a factory failed', async () => {
    let attempts = 0
    const db = openShop({
      database: () => {
        attempts += 1
        if (attempts === 1) {
          throw new Error('not yet')
        }
        return new Database(':memory:')
      },
    })
    await expect(sql`select 1`.execute(db)).rejects.toThrow('not yet')
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  })

  it('closes what it opened when the hook fails, and opens anew', async () => {
    const opened: { readonly open: boolean }[] = []
    const db = openShop({
      database: temporaryFile(),
      onCreateConnection: (database) => {
        opened.push(database)
        if (opened.length === 1) {
          throw new Error('hook')
        }
      },
    })
    await expect(sql`select 1`.execute(db)).rejects.toThrow('hook')
    expect(opened[0]!.open).toBe(false)
    await sql`select 1`.execute(db)
    expect(opened[1]!.open).toBe(true)
  })

  it('refuses a config without a database', () => {
    expect(() => new HtapDialect({} as never)).toThrow(HtapError)
  })

  it('serves many Kysely instances with one dialect', async () => {
    const dialect = new HtapDialect({ database: () => new Database(':memory:') })
    const a = new Kysely<Shop>({ dialect })
    const b = new Kysely<Shop>({ dialect })
    await createItems(a, 1)
    await createItems(b, 2)
    expect(await a.selectFrom('item').select('id').execute()).toHaveLength(1)
    await a.destroy()
    expect(await b.selectFrom('item').select('id').execute()).toHaveLength(2)
    await b.destroy()
  })
})

describe('results', () => {
  it('reports writes as Kysely does for SQLite', async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db)
    const inserted = await db.insertInto('item').values({ name: 'a', price: 1 }).executeTakeFirst()
    expect(inserted).toMatchObject({ insertId: 1n, numInsertedOrUpdatedRows: 1n })
    const updated = await db.updateTable('item').set({ price: 2 }).executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(1n)
    const returned = await db
      .insertInto('item')
      .values({ name: 'b', price: 3 })
      .returningAll()
      .execute()
    expect(returned).toEqual([{ id: 2, name: 'b', price: 3 }])
    const deleted = await db.deleteFrom('item').executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(2n)
  })

  it('passes errors of SQLite on as better-sqlite3 throws them', async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db)
    const error = await sql`select nothing from item`.execute(db).catch((it) => it)
    expect(error).toBeInstanceOf(Database.SqliteError)
    expect(error.code).toBe('SQLITE_ERROR')
    expect(error.stack).toContain('htap-dialect.test.ts')
  })

  it('does not show tables of its own to introspection', async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db)
    await sql`create table _htap_log (seq integer primary key)`.execute(db)
    const tables = await db.introspection.getTables()
    expect(tables.map((it) => it.name)).toEqual(['item'])
  })
})

describe('destroying', () => {
  it('waits for what runs and closes the database', async () => {
    const database = new Database(temporaryFile())
    const db = new Kysely<Shop>({ dialect: new HtapDialect({ database }) })
    await createItems(db)
    let ended = false
    const transaction = db.transaction().execute(async (trx) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      await trx.insertInto('item').values({ name: 'late', price: 0 }).execute()
      ended = true
    })
    await new Promise((resolve) => setTimeout(resolve, 5))
    await db.destroy()
    expect(ended).toBe(true)
    expect(database.open).toBe(false)
    await transaction
    await db.destroy()
    await expect(db.selectFrom('item').selectAll().execute()).rejects.toThrow('destroyed')
  })

  it('waits for a long read on a thread', async () => {
    const db = openShop({ database: temporaryFile() })
    const read = sql<{ total: number }>`
      with recursive counter(n) as (select 1 union all select n + 1 from counter where n < 1000000)
      select sum(n) as total from counter`.execute(db)
    await new Promise((resolve) => setTimeout(resolve, 60))
    await db.destroy()
    expect((await read).rows).toEqual([{ total: 500000500000 }])
  })

  it('leaves an instance as it was, but for being closed', async () => {
    const database = new Database(temporaryFile())
    const before = Object.getOwnPropertyNames(database)
    const db = openShop({ database })
    await createItems(db, 1)
    await db.destroy()
    expect(Object.getOwnPropertyNames(database)).toEqual(before)
  })

  it('turns away who still waits when a transaction never ends', { timeout: 15_000 }, async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db)
    const forgotten = await db.startTransaction().execute()
    await forgotten.insertInto('item').values({ name: 'a', price: 1 }).execute()
    const waiting = db.insertInto('item').values({ name: 'b', price: 1 }).execute()
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'closed',
      message: 'the database was closed while the query waited',
    })
    await db.destroy()
    await refused
  })
})

describe('cancelling', () => {
  it('ends the waiting for the writer, and the next one gets its turn', async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db)
    const abort = new AbortController()
    const insert = db.insertInto('item').values({ name: 'never', price: 1 }).compile()
    type Execute = (query: typeof insert, options: object) => Promise<unknown>
    await db.transaction().execute(async (trx) => {
      const waiting = db.getExecutor().provideConnection((connection) =>
        // Kysely 0.29 hands these options through; 0.28 does not know them.
        (connection.executeQuery as Execute)(insert, { signal: abort.signal }),
      )
      const rejected = expect(waiting).rejects.toThrow('enough')
      setTimeout(() => abort.abort(new Error('enough')), 10)
      await rejected
      await trx.insertInto('item').values({ name: 'inside', price: 1 }).execute()
    })
    await db.insertInto('item').values({ name: 'next', price: 1 }).execute()
    const rows = await db.selectFrom('item').select('name').orderBy('id').execute()
    expect(rows).toEqual([{ name: 'inside' }, { name: 'next' }])
  })
})

describe('without better-sqlite3', () => {
  it('a path is refused with a clear error', () => {
    const folder = temporaryFolder()
    cpSync(new URL('../../dist/src', import.meta.url), `${folder}/src`, { recursive: true })
    writeFileSync(`${folder}/package.json`, '{ "type": "module" }')
    const script = `
      import { openDatabase } from './src/oltp/open-database.js'
      const error = await openDatabase('shop.db').catch((it) => it)
      console.log(error.code, '|', error.message)`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(child.stdout).toContain('config-invalid | the package `better-sqlite3` cannot be loaded')
  })
})
