import { DataType } from 'apache-arrow'
import { expect, test } from 'vitest'
import { openStore } from './stores.js'

test('a result is an Arrow table with the values of its rows', async () => {
  const store = await openStore()
  const sql = `select range as i, range % 3 = 0 as b, sum(range) over () as h,
      case when range % 7 = 0 then null else range / 4::double end as d,
      case when range % 11 = 0 then null else repeat('ä', (range % 20)::int) || range end as t,
      encode('blob number ' || range) as x, (range % 100)::tinyint as s
    from range(10000) order by i`
  const options = { columnNames: ['i', 'b', 'h', 'd', 't', 'x', 's'], integers: 'bigint' } as const
  const table = await store.arrow({ sql, parameters: [] }, options)
  const rows = await store.rows({ sql, parameters: [] }, options)
  expect(table.numRows).toBe(10_000)
  expect(table.schema.fields.map(({ name }) => name)).toEqual(options.columnNames)
  const types = table.schema.fields.map(({ type }) => String(type))
  expect(types).toEqual(['Int64', 'Int64', 'Int64', 'Float64', 'Utf8', 'Binary', 'Int64'])
  const found = [...table].map((row) => {
    const object = row!.toJSON()
    return { ...object, x: Buffer.from(object['x'] as Uint8Array) }
  })
  expect(found).toEqual(rows)
  expect(table.getChild('d')!.nullCount).toBe(rows.filter(({ d }) => d === null).length)
})

test('an empty result keeps its columns, and of equal names the last one stands', async () => {
  const store = await openStore()
  const names = { columnNames: ['a', 'b', 'a'], integers: 'number' } as const
  const empty = await store.arrow({ sql: "select 1, 2, 'x' where false", parameters: [] }, names)
  expect(empty.numRows).toBe(0)
  expect(empty.schema.fields.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(DataType.isUtf8(empty.schema.fields[0]!.type)).toBe(true)
  const one = await store.arrow({ sql: "select 1, 2, 'x'", parameters: [] }, names)
  expect(one.get(0)!.toJSON()).toEqual({ a: 'x', b: 2n })
})

test('types and integers that SQLite does not know are refused', async () => {
  const store = await openStore()
  const names = { columnNames: ['a'], integers: 'number' } as const
  for (const sql of [
    "select date '2020-01-01'",
    'select 9223372036854775808::hugeint',
    'select 1, 2',
  ]) {
    await expect(store.arrow({ sql, parameters: [] }, names)).rejects.toMatchObject({
      code: 'olap-result-unexpected',
    })
  }
})
