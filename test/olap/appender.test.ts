import { Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import type { ColumnBatch, ColumnKind } from '../../dist/src/core/column-batch.js'
import { selfTestAppender } from '../../dist/src/olap/appender-self-test.js'
import { toRecordBatch } from '../../dist/src/olap/arrow-record-batch.js'
import type { DuckDbWriter } from '../../dist/src/olap/duckdb-writer.js'
import type { OlapStore, OlapWriter } from '../../dist/src/olap/olap-store.js'
import { batchOf, type Cell, randomOf } from './batches.js'
import { oneColumn, openStore, temporaryFolder } from './stores.js'

const kinds: readonly ColumnKind[] = ['int64', 'float64', 'utf8', 'binary']
const target = { catalog: null, schema: 'main', table: 't' }
const createTable = 'create table t (i bigint, f double, t varchar, b blob)'

async function everything(store: OlapStore): Promise<Cell[][]> {
  const rows = await store.writer.values('select * from t order by rowid')
  return rows.map((row) => row.map((value) => value as Cell))
}

async function count(store: OlapStore): Promise<unknown> {
  const rows = await store.rows({ sql: 'select count(*) from t', parameters: [] }, oneColumn)
  return rows[0]!['x']
}

function randomRows(random: () => number, rowCount: number): Cell[][] {
  const nulls = random() < 0.3 ? 0 : random()
  const long = random()
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const size = (): number => Math.floor(random() * (random() < long ? 14 : pick([20, 60, 600])))
  const cell = (kind: ColumnKind): Cell => {
    if (random() < nulls) {
      return null
    }
    if (kind === 'int64') {
      const wide =
        BigInt(Math.floor(random() * 2 ** 32)) * 2n ** 32n + BigInt(Math.floor(random() * 2 ** 32))
      return pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt.asIntN(64, wide)])
    }
    if (kind === 'float64') {
      return pick([0, -0, 0.1, -1e308, 5e-324, Number.POSITIVE_INFINITY, random()])
    }
    if (kind === 'binary') {
      return Buffer.from(Array.from({ length: size() }, () => Math.floor(random() * 256)))
    }
    return Array.from({ length: size() }, () =>
      pick(['a', 'z', ' ', 'ä', '€', '\u{1f600}', '\u0000']),
    ).join('')
  }
  return Array.from({ length: rowCount }, () => kinds.map(cell))
}

test('the self-test finds the quick path sound', async () => {
  const store = await openStore()
  expect((store.writer as DuckDbWriter).appendPath).toBe('chunks')
  expect((await openStore({ appendPath: 'rows' })).writer).toHaveProperty('appendPath', 'rows')
})

test('the self-test fails where one value comes back changed', async () => {
  const store = await openStore()
  const { writer } = store
  const changed: OlapWriter = {
    execute: (sql) => writer.execute(sql),
    appender: (where, columns) => writer.appender(where, columns),
    values: async (sql) => {
      const rows = await writer.values(sql)
      rows[4]![2] = 'ab'
      return rows
    },
  }
  expect(await selfTestAppender(writer)).toBe(true)
  expect(await selfTestAppender(changed)).toBe(false)
})

for (const appendPath of ['chunks', 'rows'] as const) {
  describe(`appending by ${appendPath}`, () => {
    test('telling values come back', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute(createTable)
      const rows: Cell[][] = [
        [null, null, null, null],
        [0n, 0, '', Buffer.alloc(0)],
        [2n ** 63n - 1n, 5e-324, 'twelve bytes', Buffer.alloc(12, 255)],
        [-(2n ** 63n), -1.7e308, 'thirteen byte', Buffer.alloc(13, 254)],
        [2n ** 53n + 1n, 0.1, 'ääääää', Buffer.from([0])],
        [5n, -0, 'äääääää', Buffer.from([0, 0])],
        [6n, Number.NEGATIVE_INFINITY, 'a\u0000b', Buffer.alloc(100_000, 3)],
        [7n, 1, `${'\u{1f600}\u0000'.repeat(2000)}`, Buffer.alloc(3)],
      ]
      const appender = await store.writer.appender(target, kinds)
      appender.append(batchOf(kinds, rows))
      appender.append(batchOf(kinds, []))
      appender.append(batchOf(kinds, rows.slice(1).reverse()))
      appender.flush()
      appender.close()
      appender.close()
      expect(await everything(store)).toStrictEqual([...rows, ...rows.slice(1).reverse()])
    })

    test('random batches come back, through one reused chunk', async () => {
      const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
      console.log(`seed ${seed}`)
      const random = randomOf(seed)
      const store = await openStore({ appendPath })
      for (let round = 0; round < 8; round++) {
        await store.writer.execute(`drop table if exists t; ${createTable}`)
        const rows: Cell[][] = []
        const appender = await store.writer.appender(target, kinds)
        for (let batch = 0; batch < 4; batch++) {
          const size = random() < 0.15 ? 2048 : Math.floor(random() * 300)
          const part = randomRows(random, size)
          appender.append(batchOf(kinds, part))
          rows.push(...part)
          if (random() < 0.3) {
            appender.flush()
          }
        }
        appender.close()
        expect(await everything(store), `seed ${seed}`).toStrictEqual(rows)
      }
    })

    test('a batch may be a view of larger memory, and be overwritten at once', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute('create table t (i bigint, t varchar)')
      const integers = new BigInt64Array([9n, 9n, 1n, 2n, 3n, 9n])
      const data = Buffer.from('??oneand a long text over twelve bytes??')
      const batch: ColumnBatch = {
        rowCount: 3,
        columns: [
          {
            kind: 'int64',
            nullCount: 1,
            validity: new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9, 0b101, 0, 0, 0, 0, 0, 0, 0]).subarray(
              8,
            ),
            values: integers.subarray(2),
          },
          {
            kind: 'utf8',
            nullCount: 0,
            validity: null,
            offsets: new Int32Array([9, 2, 5, 38, 38, 40]).subarray(1),
            data,
          },
        ],
      }
      const appender = await store.writer.appender(target, ['int64', 'utf8'])
      appender.append(batch)
      integers.fill(0n)
      data.fill(0)
      appender.close()
      expect(await everything(store)).toStrictEqual([
        [1n, 'one'],
        [null, 'and a long text over twelve bytes'],
        [3n, ''],
      ])
    })

    test('rows are part of the open transaction', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute(createTable)
      await store.writer.execute('begin')
      const appender = await store.writer.appender(target, kinds)
      appender.append(batchOf(kinds, [[1n, 1, 'a', null]]))
      appender.flush()
      expect(await store.writer.values('select count(*) from t')).toEqual([[1n]])
      expect(await count(store)).toBe(0)
      appender.append(batchOf(kinds, [[2n, 1, 'a', null]]))
      // The rollback comes while a row is still in the appender.
      await store.writer.execute('rollback')
      expect(await count(store)).toBe(0)
      expect(() => appender.append(batchOf(kinds, [[3n, 1, 'a', null]]))).toThrow(/open/)
      await store.writer.execute('begin')
      const second = await store.writer.appender(target, kinds)
      second.append(batchOf(kinds, [[4n, 1, 'a', null]]))
      second.close()
      await store.writer.execute('commit')
      expect(await store.writer.values('select i from t')).toEqual([[4n]])
    })

    test('a commit is refused while a row of its transaction is not stored', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute(createTable)
      await store.writer.execute('begin')
      const appender = await store.writer.appender(target, kinds)
      appender.append(batchOf(kinds, [[1n, 1, 'a', null]]))
      await expect(store.writer.execute('commit')).rejects.toMatchObject({ code: 'assertion' })
      await expect(store.writer.execute('drop table if exists u; COMMIT')).rejects.toThrow(
        /flushed/,
      )
      appender.flush()
      await store.writer.execute('commit')
      expect(await count(store)).toBe(1)
      appender.close()
      expect(await count(store)).toBe(1)
    })

    test('a refused row is an error that leaves the store usable', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute('create table t (i bigint not null)')
      await store.writer.execute('begin')
      const appender = await store.writer.appender(target, ['int64'])
      appender.append(batchOf(['int64'], [[1n], [null]]))
      expect(() => appender.close()).toThrow(expect.objectContaining({ code: 'olap-failed' }))
      await store.writer.execute('rollback')
      expect(await count(store)).toBe(0)
      const second = await store.writer.appender(target, ['int64'])
      second.append(batchOf(['int64'], [[5n]]))
      second.close()
      expect(await count(store)).toBe(1)
    })

    test('what would break the engine is refused before it gets there', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute(createTable)
      await expect(store.writer.appender(target, ['int64'])).rejects.toMatchObject({
        code: 'assertion',
      })
      await expect(
        store.writer.appender(target, ['int64', 'float64', 'binary', 'utf8']),
      ).rejects.toMatchObject({ code: 'assertion' })
      await expect(
        store.writer.appender({ ...target, table: 'missing' }, kinds),
      ).rejects.toMatchObject({ code: 'olap-failed' })
      await store.writer.execute('create table u (t varchar)')
      const appender = await store.writer.appender({ ...target, table: 'u' }, ['utf8'])
      const text = { kind: 'utf8', nullCount: 0, validity: null } as const
      const append = (offsets: number[], data: Uint8Array, rowCount = 1): void =>
        appender.append({
          rowCount,
          columns: [{ ...text, offsets: new Int32Array(offsets), data }],
        })
      const bytes = Buffer.from('twenty bytes of text')
      expect(() => append([0, 21], bytes)).toThrow(/offsets/)
      expect(() => append([5, 4], bytes)).toThrow(/offsets/)
      expect(() => append([-1, 4], bytes)).toThrow(/offsets/)
      expect(() => append([0], bytes)).toThrow(/offset/)
      expect(() => append([0, 20], Buffer.alloc(20, 255))).toThrow(/UTF-8/)
      expect(() => append([0, 5], Buffer.alloc(5, 255))).toThrow(/UTF-8/)
      const shared = new Uint8Array(new SharedArrayBuffer(64))
      append([0, 20], shared)
      appender.close()
      expect(await store.writer.values('select t from u')).toEqual([['\u0000'.repeat(20)]])
    })

    test('a batch larger than a chunk is refused', async () => {
      const store = await openStore()
      await store.writer.execute('create table t (i bigint)')
      const appender = await store.writer.appender(target, ['int64'])
      const rows = Array.from({ length: 2049 }, (_, at) => [BigInt(at)])
      expect(() => appender.append(batchOf(['int64'], rows))).toThrow(/fits/)
    })

    test('an append while a statement of the writer runs is refused', async () => {
      const store = await openStore({ appendPath })
      await store.writer.execute('create table t (i bigint)')
      const appender = await store.writer.appender(target, ['int64'])
      const running = store.writer.execute('select 1')
      expect(() => appender.append(batchOf(['int64'], [[1n]]))).toThrow(/nothing runs/)
      await running
      appender.append(batchOf(['int64'], [[1n]]))
      appender.close()
      expect(await count(store)).toBe(1)
    })
  })
}

test('a temporary table and a file take rows as well', async () => {
  const store = await openStore({ path: `${temporaryFolder()}/a.duckdb` })
  await store.writer.execute(
    'create temp table k (t varchar); create schema s; create table s.t (t varchar)',
  )
  for (const where of [
    { catalog: 'temp', schema: 'main', table: 'k' },
    { catalog: null, schema: 's', table: 't' },
  ]) {
    const appender = await store.writer.appender(where, ['utf8'])
    appender.append(batchOf(['utf8'], [['a'], [null], ['a text of more than twelve bytes']]))
    appender.close()
  }
  const expected = [['a'], [null], ['a text of more than twelve bytes']]
  expect(await store.writer.values('select * from temp.k')).toEqual(expected)
  expect(await store.writer.values('select * from s.t')).toEqual(expected)
})

test('unstored rows of a forgotten appender do not appear after a close', async () => {
  const path = `${temporaryFolder()}/a.duckdb`
  const first = await openStore({ path })
  await first.writer.execute('create table t (i bigint)')
  const appender = await first.writer.appender(target, ['int64'])
  appender.append(batchOf(['int64'], [[1n]]))
  await first.close()
  const second = await openStore({ path })
  expect(await count(second)).toBe(0)
})

describe('a batch as an Arrow record batch', () => {
  const rows: Cell[][] = [
    [1n, 0.5, 'a', Buffer.from([1])],
    [null, null, null, null],
    [-(2n ** 63n), -0, 'ä long text with more bytes', Buffer.alloc(0)],
  ]

  test('holds the same values, over the same memory', () => {
    const batch = batchOf(kinds, rows)
    const record = toRecordBatch(batch, ['i', 'f', 't', 'b'])
    expect(record.numRows).toBe(3)
    const found = [...tableFromIPC(tableToIPC(new Table(record)))].map((row) =>
      Object.values(row!.toJSON()),
    )
    const plain = (list: unknown[][]): unknown[][] =>
      list.map((row) => row.map((v) => (v instanceof Uint8Array ? [...v] : v)))
    expect(plain(found)).toEqual(plain(rows))
    const [integers] = batch.columns
    expect(record.data.children[0]!.values.buffer).toBe(
      (integers as { values: BigInt64Array }).values.buffer,
    )
  })

  test('refuses equal names', () => {
    expect(() => toRecordBatch(batchOf(['int64', 'int64'], []), ['a', 'a'])).toThrow(/different/)
  })
})
