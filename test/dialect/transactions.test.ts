import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createItems, openShop, type Shop, temporaryFile } from './shop.js'

const add = (db: Kysely<Shop>, name: string) =>
  db.insertInto('item').values({ name, price: 0 }).execute()

const names = async (db: Kysely<Shop>) => {
  const rows = await db.selectFrom('item').select('name').orderBy('id').execute()
  return rows.map((row) => row.name)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function open(): Promise<Kysely<Shop>> {
  const db = openShop({ database: temporaryFile() })
  await createItems(db)
  return db
}

describe('transactions', () => {
  it('commit and roll back', async () => {
    const db = await open()
    await db.transaction().execute((trx) => add(trx, 'kept'))
    const failing = db.transaction().execute(async (trx) => {
      await add(trx, 'lost')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await names(db)).toEqual(['kept'])
  })

  it('take turns in the order of asking, with single writes between them', async () => {
    const db = await open()
    const work: Promise<unknown>[] = []
    for (let i = 0; i < 10; i += 1) {
      work.push(
        i % 2 === 0
          ? db.transaction().execute(async (trx) => {
              await add(trx, `${i}a`)
              await pause(1)
              await add(trx, `${i}b`)
            })
          : add(db, `${i}`),
      )
    }
    await Promise.all(work)
    const expected = Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0 ? [`${i}a`, `${i}b`] : `${i}`,
    )
    expect(await names(db)).toEqual(expected.flat())
  })

  it('begin as writers, so that another process can never make them fail half-way', async () => {
    const path = temporaryFile()
    const db = openShop({ database: path })
    await createItems(db)
    const other = new Database(path, { timeout: 0 })
    await db.transaction().execute(async (trx) => {
      await names(trx)
      expect(() => other.exec(`insert into item (name, price) values ('x', 1)`)).toThrow('locked')
      await add(trx, 'mine')
    })
    other.close()
    expect(await names(db)).toEqual(['mine'])
  })

  it('are logged as the statements that were asked for', async () => {
    const log: string[] = []
    const db = openShop(
      { database: ':memory:' },
      { log: (event) => void log.push(event.query.sql) },
    )
    await createItems(db)
    log.length = 0
    await db.transaction().execute((trx) => names(trx))
    expect(log).toEqual(['begin', 'select "name" from "item" order by "id"', 'commit'])
  })

  it.each([
    'read uncommitted',
    'read committed',
    'repeatable read',
    'serializable',
    'snapshot',
  ] as const)('give at least the isolation level %s', async (level) => {
    const db = await open()
    await db
      .transaction()
      .setIsolationLevel(level)
      .execute((trx) => add(trx, level))
    expect(await names(db)).toEqual([level])
  })

  it('refuse to write when they are read only, and only then', async () => {
    const db = await open()
    await add(db, 'before')
    const readOnly = db.transaction().setAccessMode('read only')
    await readOnly.execute(async (trx) => {
      expect(await names(trx)).toEqual(['before'])
    })
    const writing = readOnly.execute((trx) => add(trx, 'never'))
    await expect(writing).rejects.toMatchObject({ name: 'HtapError', code: 'read-only-violation' })
    const returning = readOnly.execute((trx) => trx.deleteFrom('item').returningAll().execute())
    await expect(returning).rejects.toMatchObject({ code: 'read-only-violation' })
    await db
      .transaction()
      .setAccessMode('read write')
      .execute((trx) => add(trx, 'after'))
    expect(await names(db)).toEqual(['before', 'after'])
  })

  it('report the first error when SQLite has already rolled back', async () => {
    const db = await open()
    await add(db, 'a')
    const failing = db.transaction().execute(async (trx) => {
      await add(trx, 'b')
      await sql`insert or rollback into item (id, name, price) values (1, 'c', 1)`.execute(trx)
    })
    await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
    expect(await names(db)).toEqual(['a'])
    await add(db, 'd')
  })

  it('leave the connection usable when their commit fails', async () => {
    const db = await open()
    await sql`pragma foreign_keys = on`.execute(db)
    await sql`create table tag (item_id integer references item (id) deferrable initially deferred)`.execute(
      db,
    )
    const failing = db.transaction().execute((trx) => sql`insert into tag values (77)`.execute(trx))
    await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
    await db.transaction().execute((trx) => add(trx, 'fine'))
    expect(await names(db)).toEqual(['fine'])
  })
})

describe('savepoints', () => {
  it('roll back to and release names that need quoting', async () => {
    const db = await open()
    const trx = await db.startTransaction().execute()
    await add(trx, 'a')
    const inner = await trx.savepoint('we"ird name').execute()
    await add(inner, 'b')
    await inner.rollbackToSavepoint('we"ird name').execute()
    await add(inner, 'c')
    await inner.releaseSavepoint('we"ird name').execute()
    await trx.commit().execute()
    expect(await names(db)).toEqual(['a', 'c'])
  })

  it('bring a table that was dropped after them back', async () => {
    const db = await open()
    await add(db, 'a')
    const trx = await db.startTransaction().execute()
    const inner = await trx.savepoint('s').execute()
    await inner.schema.dropTable('item').execute()
    await expect(names(inner)).rejects.toThrow('no such table')
    await inner.rollbackToSavepoint('s').execute()
    expect(await names(inner)).toEqual(['a'])
    await trx.rollback().execute()
    expect(await names(db)).toEqual(['a'])
  })
})

describe('a pinned connection', () => {
  it('holds nobody up outside of a transaction', async () => {
    const db = await open()
    await db.connection().execute(async (pinned) => {
      await add(pinned, 'pinned')
      await add(db, 'other')
      await db.transaction().execute((trx) => add(trx, 'third'))
      expect(await names(pinned)).toEqual(['pinned', 'other', 'third'])
    })
  })

  it('keeps others out while a raw transaction is open', async () => {
    const db = await open()
    let other: Promise<unknown> | undefined
    await db.connection().execute(async (pinned) => {
      await sql`begin`.execute(pinned)
      await add(pinned, 'raw')
      other = add(db, 'other')
      await pause(5)
      expect(await names(pinned)).toEqual(['raw'])
      expect(await names(db)).toEqual([])
      await sql`rollback`.execute(pinned)
    })
    await other
    expect(await names(db)).toEqual(['other'])
  })

  it('leaves a raw transaction open for whoever comes next, as better-sqlite3 alone does', async () => {
    const db = await open()
    await sql`begin`.execute(db)
    await add(db, 'a')
    await sql`rollback`.execute(db)
    await sql`begin`.execute(db)
    await add(db, 'b')
    await sql`commit`.execute(db)
    expect(await names(db)).toEqual(['b'])
  })
})
