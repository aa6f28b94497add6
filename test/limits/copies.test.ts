import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { openShop, totals } from '../support/shop.js'
import { SyncHarness } from '../support/sync-harness.js'
import { TestWorld } from '../support/test-world.js'
import { until } from '../support/until.js'

// What happens at the limits of first copies.

it('a long copy is made in transactions of bounded size', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  const rows = 2 * limits.copyTransactionRowsMax + 1
  h.database.exec(`create table t(id integer primary key, a);
    insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
      select v, v from s`)
  await h.mirror('t')
  // One slice may reach over the end of a row group.
  expect(world.times('backfill.page-committed')).toBe(3)
  expect(await h.engine.verify()).toMatchObject({ equal: true, tables: [{ sqliteRows: rows }] })
})

it('a column that shows other values with the last copy is given up, and made anew', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  // A sample is the first slice of a table; these come after it, one with each snapshot.
  const rows = 2 * limits.batchRowsMax * limits.sliceBatchesMax
  const names = Array.from({ length: limits.copyAttemptsMax }, (_, index) => `c${index}`)
  h.database.exec(`create table t(id integer primary key, ${names.join(', ')});
    insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
      select v, ${names.map(() => 'v').join(', ')} from s`)
  const change = () => {
    const name = names[world.times('backfill.begin')]
    if (name !== undefined) {
      h.database.exec(`update t set ${name} = 0.5 where id = ${rows}`)
    }
  }
  change()
  const attempts: number[] = []
  world.onReach = (point) => {
    if (point === 'backfill.begin') {
      change()
    } else if (point === 'backfill.complete') {
      attempts.push(world.times('backfill.begin'))
    }
  }
  h.engine.requestCopy('t')
  await until(() => h.engine.tables.findLive('t') !== undefined)
  const unsafe = h.engine.tables.findLive('t')?.columns.map((column) => column.unsafe)
  expect(unsafe).toEqual([null, ...names.slice(1).map(() => null), expect.any(String)])
  expect(attempts).toEqual([limits.copyAttemptsMax])
  await h.expectEqual('t')
  expect(attempts).toHaveLength(2)
})

it('a query that insists waits a while for the first copy, then SQLite answers', async () => {
  const { db, database, events } = openShop({ routing: 'duckdb' }, 50)
  // No copy begins while somebody else writes.
  const other = new (database.constructor as new (path: string) => typeof database)(database.name)
  other.exec('begin immediate')
  const startMs = performance.now()
  const answer = await totals(db).execute()
  expect(answer).toMatchObject([{ n: 50 }])
  expect(performance.now() - startMs).toBeGreaterThan(limits.firstCopyWaitMs - 20)
  expect(events.at(-1)).toMatchObject({ engine: 'sqlite', reason: 'no copy yet of sale' })
  other.exec('rollback')
  other.close()
  await totals(db).execute()
  expect(events.at(-1)).toMatchObject({ engine: 'duckdb' })
})
