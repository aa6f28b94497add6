import { MessageChannel } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ColumnBatch } from '../../dist/src/core/column-batch.js'
import { limits } from '../../dist/src/core/limits.js'
import { readTableShape } from '../../dist/src/oltp/catalogue.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { keyLiterals } from '../../dist/sync/apply/key-list.js'
import { BufferPool } from '../../dist/sync/read/buffer-pool.js'
import { InlineReader } from '../../dist/sync/read/inline-reader.js'
import { PartSender } from '../../dist/sync/read/part-sender.js'
import { createReadPlan } from '../../dist/sync/read/read-plan.js'
import { RowReader } from '../../dist/sync/read/row-reader.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { WorkerReader } from '../../dist/sync/read/worker-reader.js'
import { SyncHarness } from '../support/sync-harness.js'
import { TestWorld } from '../support/test-world.js'
import { threadCount } from '../support/thread-count.js'
import { until } from '../support/until.js'

// What happens at the limits of reading SQLite for the mirror.

const sliceRowsMax = limits.batchRowsMax * limits.sliceBatchesMax

const fill = (table: string, rows: number) => `create table ${table}(id integer primary key, a int);
  insert into ${table} with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
    select v, v from s`

function planOf(database: Database.Database, table: string) {
  const shape = readTableShape(database, table)
  if ('refused' in shape) {
    throw new Error(shape.refused)
  }
  return createReadPlan(1, shape, ['int64', 'int64'])
}

it('a table is read in slices of a bounded number of bounded batches', () => {
  const database = new Database(':memory:')
  onTestFinished(() => void database.close())
  database.exec(fill('t', sliceRowsMax + 1))
  const reader = new RowReader(database, planOf(database, 't'), new BufferPool())
  const sizes: number[][] = []
  for (let slice = reader.read(); slice !== null; slice = reader.read()) {
    sizes.push(slice.rows.map((batch) => batch.rowCount))
  }
  const full = Array.from({ length: limits.sliceBatchesMax }, () => limits.batchRowsMax)
  expect(sizes).toEqual([full, [1]])
})

it('a transaction is applied in bounded slices, and as one', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(fill('t', 2 * sliceRowsMax + 1))
  await h.mirror('t')
  await h.expectEqual('t')
  const [slices, commits] = [world.times('apply.slice'), world.times('apply.before-commit')]
  h.database.exec('update t set a = a + 1')
  await h.engine.syncNow()
  expect(world.times('apply.slice') - slices).toBe(3)
  expect(world.times('apply.before-commit') - commits).toBe(1)
  await h.expectEqual('t')
})

it.each([limits.slicesInFlightMax, limits.versionSlicesInFlightMax])(
  'a thread that has sent %i slices, as many as may be on their way, waits for its reader',
  async (partsInFlightMax) => {
    const { port1, port2 } = new MessageChannel()
    onTestFinished(() => port1.close())
    const sender = new PartSender(port2, new BufferPool(), partsInFlightMax)
    for (let part = 0; part < partsInFlightMax; part++) {
      expect(await sender.send({ part }, [])).toBe(true)
    }
    let isSent = false
    const next = sender.send({ part: 'next' }, []).then((isWanted) => {
      isSent = isWanted
      return isWanted
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isSent).toBe(false)
    port1.postMessage({ type: 'credit', buffers: [] })
    expect(await next).toBe(true)
    const refused = sender.send({ part: 'unwanted' }, [])
    port1.postMessage({ type: 'stop' })
    expect(await refused).toBe(false)
  },
)

it('reading threads are few, and end when they have been idle', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(fill('t', 10 * sliceRowsMax))
  await h.mirror('t')
  const before = threadCount()
  const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
  const reader = new WorkerReader(h.path, new InlineReader(access))
  onTestFinished(async () => {
    await reader.close()
    access.close()
  })
  const { tableId } = h.engine.tables.find('t')!
  const value = (sql: string) => h.database.prepare(sql).pluck().get()
  const call = {
    expected: {
      consumerId: String(value('select id from _htap_consumer')),
      schemaVersion: Number(value('pragma schema_version')),
      epoch: String(value("select value from _htap_meta where key = 'epoch'")),
    },
    plan: { ...planOf(h.database, 't'), tableId: tableId! },
  }
  const streams = Array.from({ length: limits.syncWorkersMax + 1 }, () => reader.rows(call))
  const begun: number[] = []
  const firsts = streams.map(async (stream, index) => {
    expect((await stream.next()).value).toMatchObject({ type: 'state' })
    begun.push(index)
  })
  await until(() => begun.length === limits.syncWorkersMax)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(begun.sort()).toEqual([...begun.keys()])
  expect(threadCount() - before).toBe(limits.syncWorkersMax)
  // From here on only time makes a thread end.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  await streams[0]!.return()
  await Promise.all(firsts)
  await Promise.all(streams.map((stream) => stream.return()))
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  for (let turns = 0; turns < 100; turns++) {
    await turn()
  }
  await vi.advanceTimersByTimeAsync(limits.workerIdleMs - 1000)
  expect(threadCount() - before).toBe(limits.syncWorkersMax)
  await vi.advanceTimersByTimeAsync(2000)
  for (const deadline = Date.now() + 10_000; threadCount() > before && Date.now() < deadline; ) {
    await turn()
  }
  expect(threadCount()).toBe(before)
})

// A thread has a world of its own: only what is read on this one passes this moment here.
const readHere = 'snapshot.opened'

it('a few changes are read on the main thread, more by a worker', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  h.database.exec(fill('t', 1000))
  await h.mirror('t')
  for (const changes of [limits.inlineChangesMax, limits.inlineChangesMax + 1]) {
    await h.engine.syncNow()
    const before = world.times(readHere)
    h.database.exec(`update t set a = a + 1 where id <= ${changes}`)
    await h.engine.syncNow()
    expect(world.times(readHere) > before).toBe(changes <= limits.inlineChangesMax)
  }
  await h.expectEqual('t')
})

it('the rows of a large table are not counted on the main thread', async () => {
  const world = new TestWorld()
  const h = await SyncHarness.open('file')
  // A table with such an index is counted after each change.
  h.database.exec(`${fill('t', limits.inlineCountRowsMax)};
    create unique index i on t(a) where a > 0`)
  await h.mirror('t')
  await h.expectEqual('t')
  for (const rows of [limits.inlineCountRowsMax, limits.inlineCountRowsMax + 1]) {
    const before = world.times(readHere)
    h.database.exec(`update t set a = -id where id = ${rows - limits.inlineCountRowsMax + 1}`)
    await h.engine.syncNow()
    expect(world.times(readHere) > before).toBe(rows <= limits.inlineCountRowsMax)
    h.database.exec(
      `insert into t values (${limits.inlineCountRowsMax + 1}, null) on conflict do nothing`,
    )
    await h.expectEqual('t')
  }
})

it('a few keys are deleted by a list, more by a join', async () => {
  const batch = (rowCount: number): ColumnBatch => ({
    rowCount,
    columns: [
      {
        kind: 'int64',
        nullCount: 0,
        values: BigInt64Array.from({ length: 64 }, (_, i) => BigInt(i)),
        validity: null,
      },
    ],
  })
  const most = limits.deleteLiteralsMax
  expect(keyLiterals([batch(most)])?.split(', ')).toHaveLength(most)
  expect(keyLiterals([batch(most + 1)])).toBeNull()
  const h = await SyncHarness.open('file')
  h.database.exec(fill('t', 100))
  await h.mirror('t')
  for (const keys of [most, most + 1]) {
    h.database.exec(`delete from t where id in (select id from t limit ${keys})`)
    await h.expectEqual('t')
  }
})
