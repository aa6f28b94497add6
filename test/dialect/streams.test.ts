import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createItems, openShop, type Shop, temporaryFile } from './shop.js'

async function openFile(count: number): Promise<Kysely<Shop>> {
  const db = openShop({ database: temporaryFile() })
  await createItems(db, count)
  return db
}

describe('streaming from a file', () => {
  it('yields every row in order, in chunks', async () => {
    const db = await openFile(1050)
    const ids: number[] = []
    for await (const row of db.selectFrom('item').select('id').orderBy('id').stream()) {
      ids.push(row.id)
    }
    expect(ids).toEqual(Array.from({ length: 1050 }, (_, i) => i + 1))
    const sizes: number[] = []
    const query = db.selectFrom('item').selectAll().compile()
    await db.getExecutor().provideConnection(async (connection) => {
      for await (const chunk of connection.streamQuery(query, 400)) {
        sizes.push(chunk.rows.length)
      }
    })
    expect(sizes).toEqual([400, 400, 250])
  })

  it('lets the loop read, write and begin transactions, and sees none of it', async () => {
    const db = await openFile(30)
    let seen = 0
    for await (const row of db.selectFrom('item').selectAll().stream(10)) {
      seen += 1
      await db.updateTable('item').set({ price: -1 }).where('id', '=', row.id).execute()
      await db.insertInto('item').values({ name: 'more', price: -2 }).execute()
      await db.transaction().execute((trx) => trx.selectFrom('item').select('id').execute())
      for await (const _ of db.selectFrom('item').select('id').limit(2).stream()) {
        seen += 0
      }
    }
    expect(seen).toBe(30)
    const changed = await db.selectFrom('item').select('id').where('price', '<', 0).execute()
    expect(changed).toHaveLength(60)
  })

  it('frees its connection when the loop stops early, so that streams never run out', async () => {
    const db = await openFile(500)
    for (let i = 0; i < 40; i += 1) {
      for await (const row of db.selectFrom('item').selectAll().stream(10)) {
        expect(row.id).toBe(1)
        break
      }
    }
    const failing = async () => {
      for await (const _ of db.selectFrom('item').selectAll().stream(10)) {
        throw new Error('enough')
      }
    }
    for (let i = 0; i < 40; i += 1) {
      await expect(failing()).rejects.toThrow('enough')
    }
    // A reader that was left open would keep the log from being written back whole.
    const checkpoint = await sql`pragma wal_checkpoint(truncate)`.execute(db)
    expect(checkpoint.rows).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
  })

  it('waits for a free connection beyond the limit', async () => {
    const db = await openFile(200)
    const counts = await Promise.all(
      Array.from({ length: 40 }, async () => {
        let count = 0
        for await (const _ of db.selectFrom('item').selectAll().stream(20)) {
          count += 1
          await new Promise((resolve) => setImmediate(resolve))
        }
        return count
      }),
    )
    expect(counts).toEqual(Array.from({ length: 40 }, () => 200))
  })

  it('fails with the error of SQLite', async () => {
    const db = await openFile(1)
    const stream = sql<{ x: number }>`select missing from item`.compile(db)
    const read = async () => {
      await db.getExecutor().provideConnection(async (connection) => {
        for await (const _ of connection.streamQuery(stream, 10)) {
          throw new Error('unreachable')
        }
      })
    }
    const error = await read().catch((it) => it)
    expect(error).toBeInstanceOf(Database.SqliteError)
    expect(error.message).toBe('no such column: missing')
    await db.insertInto('item').values({ name: 'still', price: 1 }).execute()
  })

  it('refuses statements that write', async () => {
    const db = await openFile(1)
    const remove = async () => {
      for await (const _ of db.deleteFrom('item').returningAll().stream()) {
        throw new Error('unreachable')
      }
    }
    await expect(remove()).rejects.toMatchObject({ code: 'streaming-unsupported' })
    expect(await db.selectFrom('item').selectAll().execute()).toHaveLength(1)
  })
})

describe('streaming on the very connection', () => {
  it('happens inside a transaction, which it sees', async () => {
    const db = await openFile(3)
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('item').values({ name: 'new', price: 0 }).execute()
      const seen: string[] = []
      for await (const row of trx.selectFrom('item').selectAll().orderBy('id').stream(2)) {
        seen.push(row.name)
      }
      expect(seen).toEqual(['item 1', 'item 2', 'item 3', 'new'])
      await trx.deleteFrom('item').execute()
    })
  })

  it('happens in memory, and holds writers back until the loop is left', async () => {
    const db = openShop({ database: ':memory:' })
    await createItems(db, 500)
    let write: Promise<unknown> | undefined
    for await (const row of db.selectFrom('item').selectAll().stream(10)) {
      write ??= db.insertInto('item').values({ name: 'later', price: 0 }).execute()
      if (row.id === 300) {
        break
      }
    }
    await write
    expect(await db.selectFrom('item').select('id').execute()).toHaveLength(501)
  })

  it('sees temporary tables and functions of the application', async () => {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    database.exec('create temp table note (text text)')
    database.exec(`insert into note values ('a'), ('b')`)
    database.function('shout', (text) => `${text}!`)
    const db = openShop({ database })
    const query = sql<{ s: string }>`select shout(text) as s from note`.compile(db)
    const seen: unknown[] = []
    await db.getExecutor().provideConnection(async (connection) => {
      for await (const chunk of connection.streamQuery(query, 1)) {
        seen.push(...chunk.rows)
      }
    })
    expect(seen).toEqual([{ s: 'a!' }, { s: 'b!' }])
  })
})

describe('destroying', () => {
  it('ends a stream that nobody reads on', { timeout: 15_000 }, async () => {
    const database = new Database(temporaryFile())
    database.pragma('journal_mode = wal')
    const db = openShop({ database })
    await createItems(db, 500)
    const stream = db.selectFrom('item').selectAll().stream(10)[Symbol.asyncIterator]()
    await stream.next()
    await db.destroy()
    expect(database.open).toBe(false)
  })
})
