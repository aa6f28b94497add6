import { spawnSync } from 'node:child_process'
import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createItems, openShop, type Shop, temporaryFile, temporaryFolder } from './shop.js'

/** Half a second of work for SQLite, whatever the tables hold. */
const longRead = sql<{ total: number }>`
  with recursive counter(n) as (select 1 union all select n + 1 from counter where n < 3000000)
  select sum(n) as total from counter`

/** The longest time that the event loop stood still while `work` ran, in milliseconds. */
async function longestStall(work: Promise<unknown>): Promise<number> {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 2)
  await work
  clearInterval(timer)
  return Math.max(longest, performance.now() - last)
}

/** Runs `body` while a transaction has an uncommitted row; the transaction ends after it. */
async function besideTransaction(db: Kysely<Shop>, body: () => Promise<void>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('item').values({ name: 'uncommitted', price: 0 }).execute()
    await body()
  })
}

describe('long reads', () => {
  it('do not stop the event loop', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 1)
    await longRead.execute(db)
    const startMs = performance.now()
    const read = longRead.execute(db)
    const stallMs = await longestStall(read)
    // On the calling thread the stall would be the whole read.
    expect(stallMs).toBeLessThan((performance.now() - startMs) / 2)
    expect((await read).rows).toEqual([{ total: 4500001500000 }])
  })

  it('run beside each other and beside point reads', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 10)
    let ended = false
    const long = longRead.execute(db).then(() => {
      ended = true
    })
    const item = await db.selectFrom('item').selectAll().where('id', '=', 7).execute()
    expect(item).toEqual([{ id: 7, name: 'item 7', price: 6 }])
    expect(ended).toBe(false)
    await long
  })

  it('give the same values as on the calling thread', async () => {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    database.exec('create table v (a, b, c, d, e, f)')
    const insert = database.prepare('insert into v values (?, ?, ?, ?, ?, ?)')
    for (let i = 0; i < 3000; i += 1) {
      insert.run(
        i,
        i / 7,
        `text ${i} \u{1f600}`,
        Buffer.from([i % 256, 0, 255]),
        null,
        i % 2 ? i : 'x',
      )
    }
    insert.run(-0, Number.MAX_SAFE_INTEGER, '', Buffer.alloc(0), null, Number.POSITIVE_INFINITY)
    const db = openShop({ database })
    const query = 'select a, b, c, d, e, f, a + 1 as a from v where a <> ?'
    const inline = database.prepare(query).all(5)
    for (let i = 0; i < 2; i += 1) {
      const { rows } = await sql`${sql.raw(query.replace('?', '5'))}`.execute(db)
      expect(rows).toEqual(inline)
      expect(Buffer.isBuffer((rows[9] as { d: unknown }).d)).toBe(true)
      expect(Object.keys(rows[9] as object)).toEqual(Object.keys(inline[9] as object))
    }
  })

  it('give bigint where the instance does, also when it is switched later', async () => {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    const db = openShop({ database })
    await createItems(db, 5000)
    const long = () => db.selectFrom('item').select('id').where('price', '>', 4990).execute()
    const short = () => db.selectFrom('item').select('id').where('id', '=', 4).execute()
    expect((await long())[0]).toEqual({ id: 4992 })
    expect(await short()).toEqual([{ id: 4 }])
    database.defaultSafeIntegers(true)
    expect((await long())[0]).toEqual({ id: 4992n })
    expect(await short()).toEqual([{ id: 4n }])
    database.defaultSafeIntegers(false)
    expect((await long())[0]).toEqual({ id: 4992 })
    expect(await short()).toEqual([{ id: 4 }])
  })

  it('fail with the error that SQLite has, and with the stack of the application', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 5000)
    const query = sql`select sum(abs(id - 9223372036854775807 - 3000)) from item`
    const failed = async () => {
      await query.execute(db)
    }
    const error = await failed().catch((it) => it)
    expect(error).toBeInstanceOf(Database.SqliteError)
    expect(error.code).toBe('SQLITE_ERROR')
    expect(error.message).toBe('integer overflow')
    expect(error.stack).toContain('reads.test.ts')
  })

  it('see what was written just before', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 5000)
    for (let i = 1; i <= 20; i += 1) {
      await db.insertInto('item').values({ name: 'new', price: -1 }).execute()
      const rows = await db.selectFrom('item').select('id').where('price', '<', 0).execute()
      expect(rows).toHaveLength(i)
    }
  })

  it('stop waiting when the signal fires', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 1)
    const abort = new AbortController()
    const connection = db.getExecutor()
    const query = longRead.compile(db)
    const start = performance.now()
    const read = connection.provideConnection((it) =>
      // Kysely 0.29 hands the options through; 0.28 does not know them.
      (it.executeQuery as (q: typeof query, o: object) => Promise<unknown>)(query, {
        signal: abort.signal,
      }),
    )
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(read).rejects.toThrow('enough')
    expect(performance.now() - start).toBeLessThan(250)
  })
})

describe('what only the very connection can answer', () => {
  async function openLarge() {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    const db = openShop({ database })
    await createItems(db, 5000)
    return { database, db }
  }

  it('temporary tables, which hide the ones of the file', async () => {
    const { database, db } = await openLarge()
    const all = () => db.selectFrom('item').select('name').where('price', '>=', 0).execute()
    expect(await all()).toHaveLength(5000)
    database.exec('create temp table item (id integer, name text, price real)')
    database.exec(`insert into temp.item values (1, 'temporary', 1)`)
    expect(await all()).toEqual([{ name: 'temporary' }])
    database.exec('drop table temp.item')
    expect(await all()).toHaveLength(5000)
  })

  it('functions of the application, also those over built-in ones', async () => {
    const { database, db } = await openLarge()
    const count = sql<{ n: number }>`select count(*) as n from item where upper(name) = 'X'`
    expect((await count.execute(db)).rows).toEqual([{ n: 0 }])
    database.function('upper', (_text) => 'X')
    database.function('twice', (x) => Number(x) * 2)
    expect((await count.execute(db)).rows).toEqual([{ n: 5000 }])
    const twice = await sql`select max(twice(id)) as m from item`.execute(db)
    expect(twice.rows).toEqual([{ m: 10000 }])
  })

  it('attached databases, case sensitive like, unusual settings, last_insert_rowid', async () => {
    const { database, db } = await openLarge()
    const like = sql<{ n: number }>`select count(*) as n from item where name like 'ITEM %'`
    const first = sql<{ id: number }>`select id from item where price >= 0`
    expect((await like.execute(db)).rows).toEqual([{ n: 5000 }])
    expect((await first.execute(db)).rows[0]).toEqual({ id: 1 })
    database.pragma('case_sensitive_like = 1')
    expect((await like.execute(db)).rows).toEqual([{ n: 0 }])
    database.pragma('case_sensitive_like = 0')
    await sql`pragma reverse_unordered_selects = 1`.execute(db)
    expect((await first.execute(db)).rows[0]).toEqual({ id: 5000 })
    await sql`pragma reverse_unordered_selects = 0`.execute(db)
    expect((await first.execute(db)).rows[0]).toEqual({ id: 1 })
    database.exec(`attach ':memory:' as other; create table other.far as select * from main.item`)
    expect((await sql`select max(id) as m from far where price > 1`.execute(db)).rows).toEqual([
      { m: 5000 },
    ])
    await db.insertInto('item').values({ name: 'last', price: 1 }).execute()
    const last = sql`select last_insert_rowid() as id, count(*) as n from item where price > 1`
    expect((await last.execute(db)).rows).toEqual([{ id: 5001, n: 4998 }])
  })
})

describe('while a transaction is open', () => {
  it('other reads see the last commit and do not wait', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3)
    await besideTransaction(db, async () => {
      expect(await db.selectFrom('item').select('id').execute()).toHaveLength(3)
      expect(await db.selectFrom('item').select('id').where('id', '=', 4).execute()).toEqual([])
      expect((await longRead.execute(db)).rows).toHaveLength(1)
    })
    expect(await db.selectFrom('item').select('id').execute()).toHaveLength(4)
  })

  it('a read of temporary tables waits for its end', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3)
    await sql`create temp table note (text text)`.execute(db)
    let ended = false
    let read: Promise<unknown> | undefined
    await besideTransaction(db, async () => {
      read = sql`select * from note`.execute(db).then(() => ended)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }).then(() => {
      ended = true
    })
    expect(await read).toBe(true)
  })

  it.each(['delete', 'memory database'])('reads wait in a database with: %s', async (mode) => {
    const database = new Database(mode === 'delete' ? temporaryFile() : ':memory:')
    const db = openShop({ database })
    await createItems(db, 3)
    let read: Promise<unknown[]> | undefined
    await besideTransaction(db, async () => {
      read = db.selectFrom('item').select('id').execute()
      await new Promise((resolve) => setTimeout(resolve, 10))
    })
    expect(await read).toHaveLength(4)
  })

  it('that the application began on its own instance, everything takes part in it', async () => {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    const db = openShop({ database })
    await createItems(db, 5000)
    database.exec('begin')
    await db.insertInto('item').values({ name: 'mine', price: -1 }).execute()
    expect(await db.selectFrom('item').select('id').where('price', '<', 0).execute()).toHaveLength(
      1,
    )
    database.exec('rollback')
    expect(await db.selectFrom('item').select('id').where('price', '<', 0).execute()).toEqual([])
  })
})

describe('a statement kept from an earlier run', () => {
  it('has the columns that another connection gave the table since', async () => {
    const path = temporaryFile()
    const db = openShop({ database: path })
    await createItems(db, 1)
    const all = () => db.selectFrom('item').selectAll().execute()
    expect(await all()).toEqual([{ id: 1, name: 'item 1', price: 0 }])
    const other = new Database(path)
    other.exec("alter table item add column colour text default 'red'")
    other.close()
    expect(await all()).toEqual([{ id: 1, name: 'item 1', price: 0, colour: 'red' }])
  })
})

describe('a file that cannot be written', () => {
  it('can be read, also in a transaction', async () => {
    const path = temporaryFile()
    const writable = new Database(path)
    writable.exec('create table item (id integer primary key, name text, price real)')
    writable.close()
    const db = openShop({ database: new Database(path, { readonly: true }) })
    const rows = await db
      .transaction()
      .execute((trx) => trx.selectFrom('item').selectAll().execute())
    expect(rows).toEqual([])
    await expect(
      db.insertInto('item').values({ name: 'a', price: 1 }).execute(),
    ).rejects.toMatchObject({ code: 'SQLITE_READONLY' })
  })
})

describe('the process', () => {
  it('may end in the middle of a long read', () => {
    const folder = temporaryFolder()
    const index = new URL('../../dist/dialect/index.js', import.meta.url).href
    const script = `
      import { Kysely, sql } from 'kysely'
      import { HtapDialect } from '${index}'
      const db = new Kysely({ dialect: new HtapDialect({ database: '${folder}/shop.db' }) })
      sql\`
        with recursive c(n) as (select 1 union all select n + 1 from c where n < 10000000)
        select count(*) as n from c\`.execute(db)
      setTimeout(() => process.exit(7), 150)`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('../..', import.meta.url),
      timeout: 20_000,
      encoding: 'utf8',
    })
    expect({ status: child.status, signal: child.signal, stderr: child.stderr }).toEqual({
      status: 7,
      signal: null,
      stderr: '',
    })
  })

  it('ends by itself, without destroy, when nothing is left to do', () => {
    const folder = temporaryFolder()
    const index = new URL('../../dist/dialect/index.js', import.meta.url).href
    const script = `
      import { Kysely, sql } from 'kysely'
      import { HtapDialect } from '${index}'
      const db = new Kysely({ dialect: new HtapDialect({ database: '${folder}/shop.db' }) })
      await sql\`create table t (a)\`.execute(db)
      const { rows } = await sql\`
        with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000)
        select count(*) as n from c\`.execute(db)
      console.log(JSON.stringify(rows))`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('../..', import.meta.url),
      timeout: 8000,
      encoding: 'utf8',
    })
    expect(child.stderr).toBe('')
    expect(child.stdout.trim()).toBe('[{"n":100000}]')
    expect(child.status).toBe(0)
  })
})
