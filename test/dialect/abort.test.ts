import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { htap, olap } from '../../dist/dialect/index.js'
import { kyselyMinor } from '../support/kysely-version.js'
import { createItems, openShop, type Shop, temporaryFile } from './shop.js'

const hasAbort = kyselyMinor >= 29

type Strategy = 'ignore query' | 'cancel query' | 'kill session'

/** What `execute` takes from Kysely 0.29 on, in types that 0.28 knows as well. */
interface Abortable<Result> {
  execute(options: {
    readonly signal: AbortSignal
    readonly inflightQueryAbortStrategy?: Strategy
  }): Promise<Result>
}

function abortable<Result>(query: { execute(): Promise<Result> }): Abortable<Result> {
  return query as unknown as Abortable<Result>
}

const strategies: readonly Strategy[] = ['ignore query', 'cancel query', 'kill session']

/** Three tables' worth of pairs: minutes of work, for either engine. */
function endless(db: Kysely<Shop>) {
  return db
    .selectFrom('item as a')
    .innerJoin('item as b', (join) => join.onRef('a.price', '<', 'b.price'))
    .innerJoin('item as c', (join) => join.onRef('b.price', '<', 'c.price'))
    .innerJoin('item as d', (join) => join.onRef('c.price', '<', 'd.price'))
    .select((eb) => eb.fn.countAll().as('n'))
}

/** Milliseconds that this process computed, on all its threads, during a second. */
async function busyDuringOneSecond(): Promise<number> {
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** A step of DuckDB's work that has begun is ended, which takes a moment on a busy machine. */
async function quietWithinSeconds(seconds: number): Promise<boolean> {
  for (let second = 0; second < seconds; second++) {
    if ((await busyDuringOneSecond()) < 200) {
      return true
    }
  }
  return false
}

describe.skipIf(!hasAbort)(`abort${hasAbort ? '' : ' (skipped: Kysely 0.28 has none)'}`, () => {
  it.each(strategies)('stops DuckDB in the middle of its work: %s', async (strategy) => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3000)
    const count = db.selectFrom('item').select((eb) => eb.fn.countAll<number>().as('n'))
    expect(await olap(count).execute()).toEqual([{ n: 3000 }])
    const abort = new AbortController()
    const query = abortable(olap(endless(db))).execute({
      signal: abort.signal,
      inflightQueryAbortStrategy: strategy,
    })
    const busy = busyDuringOneSecond()
    setTimeout(() => abort.abort(new Error('enough')), 1000)
    await expect(query).rejects.toThrow('enough')
    // It had been at work, and is no more.
    expect(await busy).toBeGreaterThan(200)
    expect(await quietWithinSeconds(8)).toBe(true)
    expect(await olap(count).execute()).toEqual([{ n: 3000 }])
    expect((await htap(db).verify()).equal).toBe(true)
  })

  it.each(strategies)('does not wait for a long read of SQLite: %s', async (strategy) => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3)
    const long = sql<{ n: number }>`
      (with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000000)
      select count(*) as n from c)`
    const abort = new AbortController()
    const startMs = performance.now()
    setTimeout(() => abort.abort(new Error('enough')), 100)
    const query = db.selectFrom(long.as('l')).selectAll()
    await expect(
      abortable(query).execute({
        signal: abort.signal,
        inflightQueryAbortStrategy: strategy,
      }),
    ).rejects.toThrow('enough')
    expect(performance.now() - startMs).toBeLessThan(1500)
    expect(await db.selectFrom('item').selectAll().execute()).toHaveLength(3)
    await db.insertInto('item').values({ name: 'after', price: 1 }).execute()
  })

  it.each(strategies)('gives up the place in the line of writers: %s', async (strategy) => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3)
    const abort = new AbortController()
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('item').values({ name: 'inside', price: 1 }).execute()
      const waiting = abortable(db.insertInto('item').values({ name: 'never', price: 2 })).execute({
        signal: abort.signal,
        inflightQueryAbortStrategy: strategy,
      })
      setTimeout(() => abort.abort(new Error('enough')), 20)
      await expect(waiting).rejects.toThrow('enough')
    })
    await db.insertInto('item').values({ name: 'after', price: 3 }).execute()
    const names = await db.selectFrom('item').select('name').orderBy('id').execute()
    expect(names.slice(3)).toEqual([{ name: 'inside' }, { name: 'after' }])
  })

  it('ends a stream', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db, 3000)
    const abort = new AbortController()
    const query = olap(db.selectFrom('item').select('id')) as unknown as {
      stream(options: { chunkSize: number; signal: AbortSignal }): AsyncIterableIterator<unknown>
    }
    let seen = 0
    const read = async () => {
      for await (const _ of query.stream({ chunkSize: 100, signal: abort.signal })) {
        seen += 1
        if (seen === 500) {
          abort.abort(new Error('enough'))
        }
      }
    }
    await expect(read()).rejects.toThrow('enough')
    expect(seen).toBeGreaterThanOrEqual(500)
    expect(seen).toBeLessThan(1000)
  })

  it('runs nothing when it fired before', async () => {
    const db = openShop({ database: temporaryFile() })
    await createItems(db)
    const insert = db.insertInto('item').values({ name: 'never', price: 0 })
    await expect(
      abortable(insert).execute({ signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough')
    expect(await db.selectFrom('item').selectAll().execute()).toEqual([])
  })
})
