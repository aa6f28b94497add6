import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Analytics, AnalyticsFactory } from '../../dist/dialect/analytics.js'
import { HtapDriver } from '../../dist/dialect/index.js'
import { createItems, type Shop, temporaryFile } from './shop.js'

/** Analytics that answer `count` queries with a fixed row and write down what they are told. */
class RecordingAnalytics implements Analytics {
  readonly notes: string[] = []
  readonly wantsAnswers = false

  execute(query: { sql: string }) {
    this.notes.push(`execute ${query.sql}`)
    return query.sql.includes('count') ? Promise.resolve({ rows: [{ n: 42 }] }) : null
  }

  async stream(query: { sql: string }) {
    return query.sql.includes('count') ? rows([{ n: 1 }], [{ n: 2 }]) : null
  }

  noteCommit() {
    this.notes.push('commit')
  }

  noteSchemaChange() {
    this.notes.push('schema')
  }

  noteAnswered() {
    // What SQLite answers is of no interest here.
  }

  async close() {
    this.notes.push('close')
  }
}

async function* rows(...chunks: unknown[][]) {
  for (const chunk of chunks) {
    yield { rows: chunk }
  }
}

function open(createAnalytics: AnalyticsFactory, database = temporaryFile()): Kysely<Shop> {
  const db = new Kysely<Shop>({
    dialect: {
      createDriver: () => new HtapDriver({ database }, createAnalytics),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (it) => new SqliteIntrospector(it),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  onTestFinished(() => db.destroy())
  return db
}

const count = sql<{ n: number }>`select count(*) as n from item`

describe('analytics', () => {
  it('answer what they want to, outside of transactions only', async () => {
    const analytics = new RecordingAnalytics()
    const db = open(() => analytics)
    await createItems(db, 3)
    expect((await count.execute(db)).rows).toEqual([{ n: 42 }])
    expect(await db.selectFrom('item').select('id').execute()).toHaveLength(3)
    await db.transaction().execute(async (trx) => {
      expect((await count.execute(trx)).rows).toEqual([{ n: 3 }])
    })
    await db.connection().execute(async (pinned) => {
      expect((await count.execute(pinned)).rows).toEqual([{ n: 42 }])
      await sql`begin`.execute(pinned)
      expect((await count.execute(pinned)).rows).toEqual([{ n: 3 }])
      await sql`rollback`.execute(pinned)
      expect((await count.execute(pinned)).rows).toEqual([{ n: 42 }])
    })
    const streamed = db.selectFrom('item').select((eb) => eb.fn.countAll<number>().as('n'))
    const seen: unknown[] = []
    for await (const row of streamed.stream()) {
      seen.push(row)
    }
    expect(seen).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('are not asked while the application has a transaction open on its own instance', async () => {
    const analytics = new RecordingAnalytics()
    let database: { exec(text: string): unknown } | undefined
    const db = open((host) => {
      database = host.writer.database
      return analytics
    })
    await createItems(db, 3)
    database?.exec('begin')
    expect((await count.execute(db)).rows).toEqual([{ n: 3 }])
    database?.exec('commit')
    expect((await count.execute(db)).rows).toEqual([{ n: 42 }])
  })

  it('are told of each commit and each change of the schema, once', async () => {
    const analytics = new RecordingAnalytics()
    const db = open(() => analytics)
    await createItems(db)
    const told = async (work: Promise<unknown>) => {
      analytics.notes.length = 0
      await work.catch(() => {})
      return analytics.notes.filter((note) => !note.startsWith('execute'))
    }
    const add = (to: Kysely<Shop>) => to.insertInto('item').values({ name: 'a', price: 1 })
    expect(await told(add(db).execute())).toEqual(['commit'])
    expect(await told(add(db).returningAll().execute())).toEqual(['commit'])
    expect(await told(db.selectFrom('item').selectAll().execute())).toEqual([])
    expect(await told(sql`insert into item (id) values (1)`.execute(db))).toEqual([])
    expect(await told(db.transaction().execute((trx) => add(trx).execute()))).toEqual(['commit'])
    expect(
      await told(
        db.transaction().execute(async (trx) => {
          await add(trx).execute()
          throw new Error('no')
        }),
      ),
    ).toEqual([])
    expect(await told(db.schema.createIndex('i').on('item').column('name').execute())).toEqual([
      'schema',
      'commit',
    ])
    expect(
      await told(
        db.transaction().execute(async (trx) => {
          await sql`/* gone */ drop table item`.execute(trx)
          throw new Error('no')
        }),
      ),
    ).toEqual(['schema', 'schema'])
  })

  it('are closed before the database, and connected again after a failure', async () => {
    let attempts = 0
    const analytics = new RecordingAnalytics()
    const db = open((host) => {
      attempts += 1
      if (attempts === 1) {
        throw new Error('no analytics')
      }
      expect(host.path).toMatch(/shop\.db$/)
      analytics.close = async () => {
        expect(host.writer.database.open).toBe(true)
        analytics.notes.push('close')
      }
      return analytics
    })
    await expect(sql`select 1`.execute(db)).rejects.toThrow('no analytics')
    await sql`select 1`.execute(db)
    await db.destroy()
    expect(analytics.notes.at(-1)).toBe('close')
  })

  it('that fail to close do not keep the database open', async () => {
    const analytics = new RecordingAnalytics()
    analytics.close = () => Promise.reject(new Error('stuck'))
    const driver = new HtapDriver({ database: temporaryFile() }, (host) => {
      database = host.writer.database
      return analytics
    })
    let database: { readonly open: boolean } | undefined
    await driver.init()
    const destroyed = await driver.destroy().catch((error) => error)
    expect(destroyed).toBeInstanceOf(AggregateError)
    expect(destroyed.errors.map(String)).toEqual(['Error: stuck'])
    expect(database?.open).toBe(false)
  })
})
