import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type FailPoint, replaceOutsideWorld } from '../../dist/src/core/outside-world.js'
import { repetitions } from '../support/deep.js'
import { SyncHarness } from '../support/sync-harness.js'

// Schema changes that meet a first copy on its way: a copy of what the table was must never join.

const fill = (rows: number) => `
  create table t(id integer primary key, a integer, b text);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
    select v, v % 7, 'text ' || (v % 5) from s;
  create table bare(a integer, b text);
  insert into bare select id, b from t where id < 500; delete from bare where a % 3 = 0`

async function untilLive(h: SyncHarness, ...names: string[]): Promise<void> {
  const deadline = Date.now() + 20_000
  while (names.some((name) => h.state(name) !== 'live')) {
    h.engine.wake()
    await h.engine.checkSchema()
    if (Date.now() > deadline) {
      throw new Error(JSON.stringify(names.map((name) => h.engine.tables.find(name)?.reason)))
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function expectShapes(h: SyncHarness, ...names: string[]): void {
  for (const name of names) {
    const columns = h.engine.tables.findLive(name)?.columns.map((column) => column.name)
    const right = h.database.prepare(`select name from pragma_table_info('${name}')`).pluck().all()
    expect({ name, columns }).toEqual({ name, columns: right })
  }
}

// HTAP_MOMENTS sets at how many of them each change comes; with fewer, each at others.
const momentsOfChange = repetitions('HTAP_MOMENTS', 3)

/** The moments at which a first copy of `t` can be met, in their order. */
const moments: readonly FailPoint[] = [
  'capture.committed',
  'backfill.begin',
  'backfill.table-created',
  'backfill.page',
  'backfill.page-committed',
  'backfill.complete',
  'snapshot.opened',
  'snapshot.read',
  'apply.begin',
  'apply.slice',
  'apply.before-commit',
  'apply.after-commit',
]

/** Does something once, at a moment of the next copy; applying counts once the copy is to join. */
function atMoment(moment: FailPoint, act: () => void): { readonly isPassed: boolean } {
  const state = { isPassed: false }
  let isJoining = !/^(snapshot|apply)/.test(moment)
  replaceOutsideWorld({
    reach: (point) => {
      isJoining ||= point === 'backfill.complete'
      if (point === moment && isJoining && !state.isPassed) {
        state.isPassed = true
        act()
      }
    },
    through: (_, functions) => functions,
    wallClockMs: () => Date.now(),
    steadyClockMs: () => performance.now(),
    uniqueId: () => randomUUID(),
  })
  return state
}

afterEach(() => replaceOutsideWorld(null))

describe.each(['file', 'memory'] as const)('a first copy (%s)', (kind) => {
  const changes = [
    ['a column is added', 'alter table t add column c integer default 7'],
    ['a column is dropped', 'alter table t drop column b'],
    ['a column is renamed', 'alter table t rename column b to bb'],
    [
      'the table is made anew as it was',
      'drop table t; create table t(id integer primary key, a integer, b text); insert into t values (1, 2, 3)',
    ],
    ['another table is made', 'create table other(id integer primary key)'],
    ['rows are numbered anew', 'vacuum'],
  ] as const

  it.each(changes)('is not taken for the table when %s, at any moment', async (name, change) => {
    const h = await SyncHarness.open(kind)
    const passed: FailPoint[] = []
    const stride = Math.ceil(moments.length / momentsOfChange)
    const first = changes.findIndex(([it]) => it === name) % stride
    for (const [index, moment] of moments.entries()) {
      if (index % stride !== first) {
        continue
      }
      // In memory the reader itself has the one connection.
      if (kind === 'memory' && moment.startsWith('snapshot.')) {
        continue
      }
      replaceOutsideWorld(null)
      h.database.exec(
        `drop table if exists t; drop table if exists bare; drop table if exists other; ${fill(3000)}`,
      )
      await h.engine.checkSchema()
      h.engine.requestCopy('bare')
      await untilLive(h, 'bare')
      const met = atMoment(moment, () => {
        h.database.exec(change)
        void h.engine.checkSchema()
      })
      h.engine.requestCopy('t')
      h.database.exec('update t set a = a + 1 where id % 100 = 0; insert into bare values (1, 2)')
      await untilLive(h, 't', 'bare')
      // As every query does; the look that the change has asked for may still be under way.
      await h.engine.checkSchema()
      await untilLive(h, 't', 'bare')
      expectShapes(h, 't', 'bare')
      await h.expectEqual('t', 'bare')
      passed.push(...(met.isPassed ? [moment] : []))
    }
    expect(passed.length).toBeGreaterThan(momentsOfChange / 2)
    expect(h.errors).toEqual([])
  })

  it('leaves nothing in the store that serves no more', async () => {
    const h = await SyncHarness.open(kind)
    h.database.exec(fill(2000))
    await h.mirror('t', 'bare')
    for (let round = 0; round < 5; round++) {
      h.database.exec(`alter table t add column c${round}; vacuum`)
      await h.engine.checkSchema()
      h.engine.requestCopy('t')
      h.engine.requestCopy('bare')
      await untilLive(h, 't', 'bare')
    }
    await h.engine.syncNow()
    const copies = await h.engine.store?.rows(
      {
        sql: `select table_name from information_schema.tables where table_schema = '_htap_mirror'`,
        parameters: [],
      },
      { columnNames: ['table_name'], integers: 'number' },
    )
    expect(copies).toHaveLength(2)
    await h.expectEqual('t', 'bare')
  })
})

it('a copy that was taken off does not serve again after a restart', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(fill(2000))
  await h.mirror('t', 'bare')
  h.database.exec('vacuum; alter table t add column c')
  await h.engine.checkSchema()
  h.database.exec('update bare set b = 7 where a < 100; alter table t drop column c')
  await h.restart()
  await h.engine.open()
  h.database.exec('delete from bare where a between 50 and 80')
  h.engine.requestCopy('t')
  h.engine.requestCopy('bare')
  await untilLive(h, 't', 'bare')
  await h.expectEqual('t', 'bare')
})

it('a table that keeps its rowids is not copied anew for the schema change of another', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(fill(2000))
  await h.mirror('t', 'bare')
  const before = h.engine.tables.find('bare')?.live
  h.database.exec('alter table t add column c; create index bare_t on t(a)')
  await h.engine.checkSchema()
  await h.expectEqual('bare')
  expect(h.engine.tables.find('bare')?.live).toBe(before)
})
