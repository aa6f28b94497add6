import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { asOf, HtapDialect, htap } from '../../dist/dialect/index.js'
import { limits } from '../../dist/src/core/limits.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { CopiedVersions } from '../../dist/sync/history/copied-versions.js'
import { eraseKeys } from '../../dist/sync/history/erase-keys.js'
import { type HistoryTable, readHistoryTables } from '../../dist/sync/history/history-table.js'
import { HistoryThreads } from '../../dist/sync/history/history-threads.js'
import { findComingVersion } from '../../dist/sync/history/present-rows.js'
import { readChanges } from '../../dist/sync/history/read-changes.js'
import { readDiff } from '../../dist/sync/history/read-diff.js'
import { applyRetention } from '../../dist/sync/history/retention.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { CopiesHarness } from '../support/copies-harness.js'
import { HistoryHarness } from '../support/history-harness.js'
import { tempFolder } from '../support/temp-folder.js'
import { TestWorld } from '../support/test-world.js'
import { threadCount } from '../support/thread-count.js'
import { until } from '../support/until.js'

// What the history does at its limits.

const schema = 'create table t(id integer primary key, a)'

function tableOf(h: HistoryHarness): HistoryTable {
  return readHistoryTables(h.keeper.history)[0]!
}

/** So many rows, in one transaction. */
function rows(count: number, value: string | number = 0): string {
  return `insert or replace into t with recursive s(n) as (
    select 1 union all select n + 1 from s where n < ${count}) select n, ${value} from s`
}

function entries(h: HistoryHarness): number {
  return h.database.prepare('select count(*) from _htap_history_1').pluck().get() as number
}

async function ownAccess(h: HistoryHarness): Promise<OwnConnectionAccess> {
  const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
  onTestFinished(() => access.close())
  return access
}

async function erase(h: HistoryHarness, key: number) {
  return await eraseKeys({
    history: h.keeper.history,
    access: await ownAccess(h),
    move: () => h.keeper.move(),
    table: tableOf(h),
    keys: [[key]],
  })
}

const { historyPageRowsMax } = limits

it(`reads and shortens the history by pages of historyPageRowsMax (${historyPageRowsMax})`, async () => {
  const h = await HistoryHarness.open(schema)
  const count = 2 * historyPageRowsMax + 1
  const { position } = h.state
  h.commit(rows(count))
  await h.keeper.move()
  h.commit(rows(count, 1))
  await h.keeper.move()
  const { history } = h.keeper
  expect([...readChanges(history, tableOf(h), {})]).toHaveLength(2 * count)
  expect([...readDiff(history, tableOf(h), { from: position, to: h.state.position })]).toHaveLength(
    count,
  )
  h.commit('update t set a = a + 1 where id = 1;'.repeat(count))
  await h.keeper.move()
  const ofOne = [...readChanges(history, tableOf(h), { keys: [[1]] })].map(
    ({ after }) => after?.['a'],
  )
  expect(ofOne).toEqual([0, ...Array.from({ length: count + 1 }, (_, index) => index + 1)])
  const world = new TestWorld()
  const report = await applyRetention(history, { versionsPerKey: 1 })
  expect(report.tables.map(({ versions }) => versions)).toEqual([2 * count])
  expect(world.times('history-retention.in-transaction')).toBeGreaterThanOrEqual(3)
})

it(`tells of the changes of changedKeysMax (${limits.changedKeysMax}) rows at once`, async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(2))
  await h.keeper.move()
  const keys = Array.from({ length: limits.changedKeysMax }, (_, index) => [index + 1])
  const read = (of: number[][]) => [...readChanges(h.keeper.history, tableOf(h), { keys: of })]
  expect(read(keys)).toHaveLength(2)
  expect(() => read([...keys, [0]])).toThrow(`these are ${limits.changedKeysMax + 1} rows of t`)
})

it(`overwrites erasedBytesMax (${limits.erasedBytesMax}) bytes of free pages a transaction`, async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(2 * Math.ceil(limits.erasedBytesMax / 1000), 'hex(zeroblob(500))'))
  h.commit('delete from t where id > 1')
  await h.keeper.move()
  const free = () => h.database.pragma('freelist_count', { simple: true }) as number
  expect(free() * 4096).toBeGreaterThan(limits.erasedBytesMax)
  const access = await ownAccess(h)
  const sizes: number[] = []
  const write = access.write.bind(access)
  access.write = (turn) =>
    write((database) => {
      const result = turn(database)
      sizes.push(
        Number(
          database.prepare('select coalesce(max(length(zeros)), 0) from _htap_zeros').pluck().get(),
        ),
      )
      return result
    })
  await eraseKeys({
    history: h.keeper.history,
    access,
    move: () => h.keeper.move(),
    table: tableOf(h),
    keys: [[1]],
  })
  expect(Math.max(...sizes)).toBe(limits.erasedBytesMax)
})

it('gives an erasure up after eraseAttemptsMax looks with eraseRetryMs between them', async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(3))
  await h.keeper.move()
  const reader = new Database(h.historyPath, { readonly: true })
  onTestFinished(() => void reader.close())
  const open = reader.prepare('select * from version_1').iterate()
  open.next()
  const startMs = performance.now()
  await expect(erase(h, 1)).rejects.toThrow('erased rows stand in a log that somebody still reads')
  const leastMs = limits.eraseAttemptsMax * limits.eraseRetryMs
  expect(performance.now() - startMs).toBeGreaterThan(leastMs * 0.9)
  open.return?.()
  expect(await erase(h, 1)).toMatchObject({ versions: 1 })
})

it(`drops truncatedRowsMax (${limits.truncatedRowsMax}) entries at once, and more by parts`, async () => {
  const h = await HistoryHarness.open(schema)
  const world = new TestWorld()
  for (const count of [limits.truncatedRowsMax, limits.truncatedRowsMax + 1]) {
    h.commit(rows(count))
    await h.keeper.moveOnly()
    expect(entries(h)).toBe(count)
    const before = world.times('history.pruned')
    await h.keeper.prune()
    expect(entries(h)).toBe(0)
    expect(world.times('history.pruned') - before).toBe(count > limits.truncatedRowsMax ? 2 : 1)
  }
})

const megabytes = (h: HistoryHarness) => statSync(h.historyPath).size / 2 ** 20

function large(h: HistoryHarness): Promise<unknown> {
  h.commit(rows(limits.inlineCheckpointChangesMax + 1, 'zeroblob(5000)'))
  return h.keeper.moveOnly()
}

it('has a move of inlineCheckpointChangesMax changes write the log of SQLite back, and not a larger one', async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(limits.inlineCheckpointChangesMax, 'zeroblob(5000)'))
  await h.keeper.moveOnly()
  expect(megabytes(h)).toBeGreaterThan(4)
  const before = megabytes(h)
  await large(h)
  expect(megabytes(h)).toBe(before)
  h.commit('update t set a = 1 where id = 1')
  await h.keeper.moveOnly()
  expect(megabytes(h)).toBe(before)
  await h.keeper.close()
  expect(megabytes(h)).toBeGreaterThan(before + 4)
})

const { checkpointDelayMs } = limits

it(`writes it back checkpointDelayMs (${checkpointDelayMs} ms) after the first larger move, once for all until then`, async () => {
  const h = await HistoryHarness.open(schema)
  const run = vi.spyOn(HistoryThreads.prototype, 'run')
  onTestFinished(() => run.mockRestore())
  for (const moves of [2, 1]) {
    run.mockClear()
    const before = megabytes(h)
    const begin = performance.now()
    for (let move = 1; move <= moves; move++) {
      await large(h)
    }
    expect(megabytes(h)).toBe(before)
    // The file grows while the thread writes.
    const checkpoint = await vi.waitFor(() => {
      const at = run.mock.calls.findIndex(([name]) => name === 'checkpoint')
      expect(at).toBeGreaterThan(0)
      return run.mock.results[at]
    }, 10 * checkpointDelayMs)
    await checkpoint?.value
    expect(performance.now() - begin).toBeGreaterThan(checkpointDelayMs * 0.9)
    expect(megabytes(h)).toBeGreaterThan(before + moves * 4)
  }
})

it('reads inlineVersionsMax versions on the main thread, more in a worker', async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(limits.inlineVersionsMax + 1))
  await h.keeper.move()
  const table = tableOf(h)
  const { plan } = CopiedVersions.describe(h.keeper.history, table, null, () => 'utf8')
  const prepare = vi.spyOn(h.keeper.history, 'prepare')
  const read = async (after: number) => {
    prepare.mockClear()
    const slices = h.keeper.versions.slices(table, plan, after)
    const { rows: parts } = (await slices.next()).value!
    await slices.return()
    const isRead = ([sql]: readonly [string]) => sql.includes('"version_1"')
    const wasHere = prepare.mock.calls.some(isRead)
    return [parts.reduce((sum, { rowCount }) => sum + rowCount, 0), wasHere]
  }
  expect(await read(1)).toEqual([limits.inlineVersionsMax, true])
  expect(await read(0)).toEqual([limits.inlineVersionsMax + 1, false])
})

it(`moves and reads in at most historyWorkersMax (${limits.historyWorkersMax}) threads`, async () => {
  const h = await HistoryHarness.open(schema)
  h.commit(rows(100_000))
  await h.keeper.move()
  const table = tableOf(h)
  const { plan } = CopiedVersions.describe(h.keeper.history, table, null, () => 'utf8')
  const before = threadCount() - 1
  const streams = Array.from({ length: limits.historyWorkersMax }, () =>
    h.keeper.versions.slices(table, plan, 0),
  )
  const begun: number[] = []
  const firsts = streams.map(async (stream, index) => {
    await stream.next()
    begun.push(index)
  })
  await Promise.all(firsts.slice(0, limits.historyWorkersMax / limits.versionReadersMax))
  await until(() => threadCount() - before >= limits.historyWorkersMax)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(begun.length).toBeLessThan(streams.length)
  expect(threadCount() - before).toBe(limits.historyWorkersMax)
  await streams[0]!.return()
  await Promise.all(firsts)
  await Promise.all(streams.map((stream) => stream.return()))
})

it('lets versionReadersMax threads read twice versionsPerReaderMin versions in their order, and one read less', async () => {
  const h = await HistoryHarness.open(schema)
  const count = limits.versionReadersMax * limits.versionsPerReaderMin
  h.commit(rows(count))
  await h.keeper.move()
  const table = tableOf(h)
  const { plan } = CopiedVersions.describe(h.keeper.history, table, null, () => 'int64')
  const before = threadCount() - 1
  for (const [after, readers] of [
    [1, 1],
    [0, limits.versionReadersMax],
  ] as const) {
    const ids: number[] = []
    for await (const { rows: parts } of h.keeper.versions.slices(table, plan, after)) {
      for (const { columns, rowCount } of parts) {
        const { values } = columns[0] as { values: BigInt64Array }
        ids.push(...Array.from(values.subarray(0, rowCount), Number))
      }
    }
    expect(ids).toEqual(Array.from({ length: count - after }, (_, index) => after + 1 + index))
    expect(threadCount() - before).toBe(readers)
  }
})

it('takes values from the mirror for versionsFromMirrorMin versions, of mirrorRowsPerVersionMax times as many rows', async () => {
  const { versionsFromMirrorMin: fewest, mirrorRowsPerVersionMax: factor } = limits
  const copies = await CopiesHarness.open(`${schema}; ${rows(factor * fewest)}`)
  const fills = async (sql: string) => {
    copies.h.commit(sql)
    await copies.settle()
    return await copies.catchUp()
  }
  await fills(`update t set a = 1 where id = 1`)
  expect(await fills(`update t set a = 2 where id <= ${fewest}`)).toBe(1)
  expect(await fills(`update t set a = 3 where id < ${fewest}`)).toBe(0)
  await fills('insert into t values (0, 0)')
  expect(await fills(`update t set a = 4 where id < ${fewest}`)).toBe(0)
  expect(await fills(`update t set a = 5 where id <= ${fewest}`)).toBe(1)
})

it('takes values from the mirror for versionsFromMirrorMax versions, and not for more', async () => {
  const copies = await CopiesHarness.open(`${schema}; ${rows(10)}`)
  await copies.settle()
  await copies.catchUp()
  const { history } = copies.h.keeper
  const copy = (await copies.copies())[0].find(tableOf(copies.h))!
  const most = copy.lastId + limits.versionsFromMirrorMax
  history.exec(`insert into history.history_transaction values (1000, 1e18, 'commit', null, null);
    insert into history.version_1(position, op, k0, c0)
    with recursive s(n) as (select ${copy.lastId + 1} union all select n + 1 from s where n < ${most})
    select 1001, 'U', n, 0 from s`)
  expect(findComingVersion(history, copy, copies.findMirror)).toBe(most)
  history.exec(`insert into history.version_1(position, op, k0, c0) values (1001, 'U', 1, 0)`)
  expect(findComingVersion(history, copy, copies.findMirror)).toBe(null)
})

it(`looks at plainSampleRowsMax (${limits.plainSampleRowsMax}) entries for keys that come twice`, async () => {
  const h = await HistoryHarness.open(schema)
  const thread = vi.spyOn(HistoryThreads.prototype, 'pool', 'get').mockReturnValue(null)
  onTestFinished(() => thread.mockRestore())
  const exec = vi.spyOn(h.keeper.history, 'exec')
  const attempts = async (sql: string) => {
    exec.mockClear()
    h.commit(sql)
    await h.keeper.move()
    const texts = exec.mock.calls.map(([text]) => text)
    return texts.filter((text) => /savepoint plain|rollback to plain/.test(text))
  }
  const again = 'update t set a = 1 where id = 1'
  const vain = ['savepoint plain', 'rollback to plain; release plain']
  expect(await attempts(rows(limits.plainSampleRowsMax))).toEqual(vain.slice(0, 1))
  expect(await attempts(`${rows(limits.plainSampleRowsMax)}; ${again}`)).toEqual(vain)
  expect(await attempts(`${rows(limits.plainSampleRowsMax - 1)}; ${again}`)).toEqual([])
})

it(`waits mirrorWaitMs (${limits.mirrorWaitMs} ms) for a mirror that is behind`, async () => {
  const world = new TestWorld()
  const path = join(tempFolder(), 'test.db')
  const database = new Database(path)
  onTestFinished(() => void database.close())
  const count = limits.versionsFromMirrorMin
  database.exec(`pragma journal_mode = wal; ${schema}; ${rows(count)}`)
  const db = new Kysely<{ t: { id: number; a: number } }>({
    dialect: new HtapDialect({ database: path, sync: { mode: 'temporal', tables: ['t'] } }),
  })
  onTestFinished(() => db.destroy())
  const sum = async () => {
    const { total } = await asOf(db, new Date())
      .selectFrom('t')
      .select(({ fn }) => fn.sum<number>('a').as('total'))
      .executeTakeFirstOrThrow()
    return total
  }
  await htap(db).syncNow()
  await vi.waitFor(async () => expect((await htap(db).status()).tables[0]?.state).toBe('live'))
  expect(await sum()).toBe(0)
  world.onReach = (point) => {
    if (point === 'apply.begin') {
      throw new Error('the store is busy')
    }
  }
  database.exec('update t set a = 1')
  await htap(db).settleHistory()
  const begin = performance.now()
  expect(await sum()).toBe(count)
  expect(performance.now() - begin).toBeGreaterThan(limits.mirrorWaitMs * 0.9)
})
