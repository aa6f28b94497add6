import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { CopiesHarness } from '../support/copies-harness.js'

// Ends of versions that lie beside their column keep scans from leaving out what ended before their moment.

const rows = 2 * limits.batchRowsMax
const schema = `create table t(id integer primary key, a int);
  with recursive n(v) as (select 1 union all select v + 1 from n where v < ${rows})
  insert into t select v, v from n`

async function hasEndsBeside(it: CopiesHarness): Promise<boolean> {
  const [copies] = await it.copies()
  const name = copies.find(it.tables[0]!)!.sqlName
  const [row] = await it.writer.values(
    `select count(*) from pragma_storage_info('${name}') where column_name = 'until' and has_updates`,
  )
  return row?.[0] !== 0n
}

it('has the ends of many new versions in their column, those of few beside it', async () => {
  const it = await CopiesHarness.open(schema)
  it.findMirror = () => null
  const change = async (sql: string) => {
    it.h.commit(sql)
    await it.settle()
  }
  await change('update t set a = a + 1')
  await change('delete from t where id > 1000')
  await it.catchUp()
  await it.expectSame()
  expect(await hasEndsBeside(it)).toBe(false)

  await change('update t set a = a + 1 where id <= 10')
  await it.catchUp()
  await it.expectSame()
  expect(await hasEndsBeside(it)).toBe(true)

  await change(`insert into t select id + ${rows}, a from t`)
  await change(`insert into t select id + ${2 * rows}, a from t; update t set a = 0`)
  await it.catchUp()
  await it.expectSame()
  expect(await hasEndsBeside(it)).toBe(false)
})
