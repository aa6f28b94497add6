import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { SyncHarness } from '../support/sync-harness.js'
import { until } from '../support/until.js'

// Branches of syncing that only odd rows lead into.

const sliceRows = limits.batchRowsMax * limits.sliceBatchesMax

function fill(rows: number): string {
  return `insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
    select v, v, 'key ' || v from s`
}

async function open(statements: string): Promise<SyncHarness> {
  const h = await SyncHarness.open('file')
  h.database.exec(statements)
  await h.mirror('t')
  return h
}

it.each([sliceRows, sliceRows + 100])(
  'should find what REPLACE has removed by comparing all of %i keys',
  async (rows) => {
    const h =
      await open(`create table t(id integer primary key, a int, k text collate nocase unique);
      ${fill(rows + 1)}`)
    h.database.exec(`replace into t values (1, 0, 'KEY 2')`)
    await h.expectEqual('t')
  },
)

it('should take a copy off that does not add up even so, and make it anew', async () => {
  const h = await open(`create table t(id integer primary key, a int, k text collate nocase unique);
    ${fill(100)}`)
  const { sqlName } = h.engine.tables.findLive('t')!
  await h.engine.store!.writer.execute(`delete from ${sqlName} where id = 50`)
  h.database.exec(`update t set a = 0 where id = 1`)
  const t = h.engine.tables.find('t')!
  // Looked at before it is copied again.
  t.retryAtMs = Number.POSITIVE_INFINITY
  await h.engine.syncNow()
  expect(t).toMatchObject({ state: 'absent', live: null, reason: 'the copy did not add up' })
  t.retryAtMs = 0
  await until(() => h.engine.tables.findLive('t') !== undefined)
  await h.expectEqual('t')
})

it('should encode a value of every class in a column of every other', async () => {
  const values = ['1', '9007199254740993', '-9007199254740993', '0.5', "'text'", "x'00ff'", 'null']
  const h = await SyncHarness.open('file')
  const names: string[] = []
  for (const [index, first] of values.entries()) {
    const name = `t${index}`
    names.push(name)
    h.database.exec(`create table ${name}(id integer primary key, v, w);
      insert into ${name} values (1, ${first}, 0)`)
  }
  h.database.exec('create table empty(id integer primary key, n numeric, d date, m decimal)')
  await h.mirror(...names, 'empty')
  await h.expectEqual(...names, 'empty')
  for (const [index, name] of names.entries()) {
    const other = values[(index + 1) % values.length]
    h.database.exec(`insert into ${name} values (2, ${other}, ${other})`)
  }
  await h.engine.syncNow()
  for (const [index, name] of names.entries()) {
    for (const [step, value] of values.entries()) {
      h.database.exec(`insert into ${name} values (${3 + step}, ${value}, 0.25)`)
    }
    // A column of several classes is read by nobody; the others are.
    expect(h.state(names[index]!)).toBe('live')
  }
  h.database.exec("insert into empty values (1, 5, '2024-01-01', 1.5)")
  await h.engine.syncNow()
  await h.widened(...names, 'empty')
  expect(await h.engine.verify(['empty'])).toMatchObject({ equal: true })
  for (const name of names) {
    const columns = h.engine.tables.findLive(name)?.columns
    expect(columns?.map((column) => [column.name, column.unsafe !== null])).toEqual([
      ['id', false],
      ['v', true],
      ['w', expect.any(Boolean)],
    ])
  }
})
