import { describe, expect, it } from 'vitest'
import { SyncHarness } from '../support/sync-harness.js'

/** Tables `a` and `t`: while `a` is compared, something happens to `t`. */
async function openTwo(kind: 'file' | 'memory'): Promise<SyncHarness> {
  const h = await SyncHarness.open(kind)
  for (const [name, count] of [
    ['a', 200_000],
    ['t', 500],
  ]) {
    h.database.exec(`
      create table ${name}(id integer primary key, n);
      with recursive c(x) as (select 1 union all select x + 1 from c where x < ${count})
      insert into ${name} select x, x from c`)
  }
  await h.mirror('a', 't')
  return h
}

const equal = {
  equal: true,
  tables: [
    { table: 'a', sqliteRows: 200_000, mirrorRows: 200_000 },
    { table: 't', sqliteRows: 500, mirrorRows: 500 },
  ],
}

describe.each(['file', 'memory'] as const)('verify of a mirror in a %s', (kind) => {
  it('should not call a copy different when the schema changes', async () => {
    const h = await openTwo(kind)
    let isDone = false
    const report = h.engine.verify().finally(() => {
      isDone = true
    })
    for (let round = 0; !isDone; round++) {
      h.database.exec(`create table if not exists other(id); drop table other`)
      await h.engine.checkSchema()
      await new Promise((resolve) => setTimeout(resolve, round % 20))
    }
    expect(await report).toMatchObject(equal)
  })

  it('should leave out a copy that is taken off', async () => {
    const h = await openTwo(kind)
    const report = h.engine.verify()
    await new Promise((resolve) => setImmediate(resolve))
    h.database.exec('drop table t')
    await h.engine.checkSchema()
    expect((await report).tables.map((table) => table.table)).toEqual(['a'])
  })
})

// In memory one turn of the event loop compares a whole table, and nothing comes between.
it('verify should compare the copy that serves, when another takes its place', async () => {
  const h = await openTwo('file')
  let isDone = false
  const rebuild = async () => {
    for (let round = 0; round < 12; round++) {
      await h.engine.rebuild('t')
    }
  }
  const rebuilding = rebuild().finally(() => {
    isDone = true
  })
  while (!isDone) {
    expect(await h.engine.verify(['t'])).toMatchObject({ equal: true, tables: [equal.tables[1]] })
  }
  await rebuilding
  expect(await h.engine.verify()).toMatchObject(equal)
})

it('verify should say that the log has forgotten the mirror, which then begins anew', async () => {
  const h = await openTwo('file')
  await h.engine.syncNow()
  const before = h.engine.tables.findLive('t')?.sqlName
  h.database.exec('delete from _htap_consumer')
  await expect(h.engine.verify()).rejects.toMatchObject({
    code: 'sync-failed',
    message: expect.stringContaining('the mirror has lost its place in the change log'),
    facts: { lostPlace: true },
  })
  const serving = async () => {
    await h.mirror('a', 't')
    return h.engine.tables.findLive('t')?.sqlName ?? before
  }
  await expect.poll(serving, { timeout: 10_000 }).not.toBe(before)
  expect(await h.engine.verify()).toMatchObject(equal)
})
