import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import type { OlapValue } from '../../dist/src/olap/olap-store.js'
import { RowMakers } from '../../dist/src/olap/row-maker.js'
import { oneColumn, openStore, temporaryFolder } from './stores.js'

const values: OlapValue[] = [
  null,
  0n,
  1n,
  -1n,
  2n ** 31n,
  -(2n ** 31n) - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 53n + 3n,
  -(2n ** 53n) - 1n,
  2n ** 62n + 129n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  0,
  -0,
  0.1,
  1e308,
  5e-324,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '',
  'a',
  'twelve bytes',
  'thirteen byte',
  'äöü€',
  '\u{1f600}'.repeat(10),
  'a\u0000b',
  'a\u0000long text with a NUL',
  'x'.repeat(100_000),
  Buffer.alloc(0),
  Buffer.from([0, 255, 1]),
  Buffer.alloc(12, 200),
  Buffer.alloc(13, 201),
  Buffer.alloc(70_000, 7),
]

describe('values are those of better-sqlite3', () => {
  for (const integers of ['number', 'bigint'] as const) {
    test(`every bound value, integers as ${integers}`, async () => {
      const store = await openStore()
      const sqlite = new Database(':memory:')
      for (const value of values) {
        const expected = sqlite
          .prepare('select ? as x')
          .safeIntegers(integers === 'bigint')
          .all(value)
        const sql = 'select ? as x'
        const found = await store.rows({ sql, parameters: [value] }, { ...oneColumn, integers })
        expect(found).toStrictEqual(expected)
      }
    })

    test(`every value out of one column, integers as ${integers}`, async () => {
      const store = await openStore()
      const sqlite = new Database(':memory:')
      for (const kind of ['bigint', 'number', 'string', 'object']) {
        const column = [...values.filter((v) => v !== null && typeof v === kind), null]
        const list = column.map(() => '(?)').join()
        const sql = `select * from (values ${list})`
        const expected = sqlite
          .prepare(sql)
          .safeIntegers(integers === 'bigint')
          .all(...column)
        const found = await store.rows(
          { sql, parameters: column },
          { columnNames: ['column1'], integers },
        )
        expect(found).toStrictEqual(expected)
      }
    })
  }

  const columnNames: string[][] = [
    ['a', 'b', 'a'],
    ['z', '10', '2', 'z', ''],
    ['constructor', 'toString', 'a"b\\', '\u2028'],
    ['a', '__proto__', 'b'],
    ['__proto__', '__proto__', 'b'],
  ]
  for (const names of columnNames) {
    test(`columns named ${JSON.stringify(names)}`, async () => {
      const store = await openStore()
      const aliases = names.map((name, at) => `${at + 1} as "${name.replaceAll('"', '""')}"`)
      const expected = new Database(':memory:').prepare(`select ${aliases.join()}`).all()
      const sql = `select ${names.map((_, at) => `${at + 1}::bigint as c${at}`).join()}`
      const found = await store.rows(
        { sql, parameters: [] },
        { columnNames: names, integers: 'number' },
      )
      expect(found).toStrictEqual(expected)
      expect(Object.keys(found[0]!)).toEqual(Object.keys(expected[0] as object))
      expect(Object.getPrototypeOf(found[0])).toBe(Object.prototype)
    })
  }

  test('more columns than a row literal is generated for', async () => {
    const store = await openStore()
    const names = Array.from({ length: 300 }, (_, at) => `c${at}`)
    const sql = `select ${names.map((_, at) => `${at}::bigint`).join()}`
    const rows = await store.rows(
      { sql, parameters: [] },
      { columnNames: names, integers: 'number' },
    )
    expect(rows).toStrictEqual([Object.fromEntries(names.map((name, at) => [name, at]))])
  })

  test('a blob owns its memory', async () => {
    const store = await openStore()
    const sql = "select '\\x01'::blob from range(2)"
    const rows = await store.rows({ sql, parameters: [] }, oneColumn)
    const [first, second] = rows.map((row) => row['x'] as Buffer)
    first!.fill(9)
    expect(Buffer.isBuffer(first)).toBe(true)
    expect([...second!]).toEqual([1])
    expect(second!.buffer.byteLength).toBe(1)
  })

  test('columns that the engine keeps compressed, constant or as a dictionary', async () => {
    const store = await openStore({ path: `${temporaryFolder()}/a.duckdb` })
    await store.writer.execute(`create table t as select range as i, 7::bigint as c,
      'one of a few long words ' || range % 3 as w, 'no two of these are equal ' || hash(range) as h,
      case when range < 100000 then null else 'short' end as n from range(150000)`)
    await store.writer.execute('checkpoint')
    const sql = `select i, c, w, h, n, 'constant text of the query' as k from t where i % 5 <> 2`
    const names = ['i', 'c', 'w', 'h', 'n', 'k']
    const rows = await store.rows(
      { sql, parameters: [] },
      { columnNames: names, integers: 'number' },
    )
    expect(rows.length).toBe(120_000)
    const wrong = rows.filter(
      ({ i, c, w, n, k }) =>
        c !== 7 ||
        w !== `one of a few long words ${Number(i) % 3}` ||
        n !== (Number(i) < 100_000 ? null : 'short') ||
        k !== 'constant text of the query',
    )
    expect(wrong).toEqual([])
    expect(new Set(rows.map(({ h }) => h)).size).toBe(120_000)
    expect(rows.every(({ h }) => /^no two of these are equal \d+$/.test(String(h)))).toBe(true)
  })
})

describe('result types', () => {
  const types: [string, unknown][] = [
    ['true', 1],
    ['false', 0],
    ['null::boolean', null],
    ['(-128)::tinyint', -128],
    ['255::utinyint', 255],
    ['(-32768)::smallint', -32768],
    ['65535::usmallint', 65535],
    ['(-2147483648)::integer', -2147483648],
    ['4294967295::uinteger', 4294967295],
    ['9223372036854775807::ubigint', Number(2n ** 63n - 1n)],
    ['9223372036854775807::hugeint', Number(2n ** 63n - 1n)],
    ['(-9223372036854775808)::hugeint', Number(-(2n ** 63n))],
    ['(-1)::hugeint', -1],
    ['9007199254740993::hugeint', Number(9007199254740993n)],
    ['5::hugeint', 5],
    ['null', null],
    ['count(*)', 1],
    ['sum(7)', 7],
  ]
  for (const [expression, expected] of types) {
    test(`${expression} is ${expected}`, async () => {
      const store = await openStore()
      const sql = `select ${expression}`
      const rows = await store.rows({ sql, parameters: [] }, oneColumn)
      expect(rows).toStrictEqual([{ x: expected }])
      const big = await store.rows({ sql, parameters: [] }, { ...oneColumn, integers: 'bigint' })
      const type = expected === null ? 'object' : 'bigint'
      expect(typeof big[0]!['x']).toBe(type)
    })
  }

  const unexpected = [
    '9223372036854775808::ubigint',
    '9223372036854775808::hugeint',
    '-9223372036854775809::hugeint',
    '170141183460469231731687303715884105727::hugeint',
    '1::float',
    '1.5',
    "date '2020-01-01'",
    "timestamp '2020-01-01'",
    "interval '1 day'",
    '[1, 2]',
    "{'a': 1}",
    'uuid()',
    '1::uhugeint',
  ]
  for (const expression of unexpected) {
    test(`${expression} is refused`, async () => {
      const store = await openStore()
      const statement = { sql: `select ${expression}`, parameters: [] }
      for (const integers of ['number', 'bigint'] as const) {
        await expect(store.rows(statement, { ...oneColumn, integers })).rejects.toMatchObject({
          code: 'olap-result-unexpected',
        })
      }
    })
  }

  test('another number of columns than expected is refused', async () => {
    const store = await openStore()
    await expect(
      store.rows({ sql: 'select 1, 2', parameters: [] }, oneColumn),
    ).rejects.toMatchObject({
      code: 'olap-result-unexpected',
    })
  })
})

describe('large results', () => {
  const sql = `select range as i, case when range % 7 = 0 then null else range * 0.5::double end as d,
    case when range % 11 = 0 then null else repeat('ä', (range % 20)::int) || range end as t,
    encode('blob number ' || range) as b
    from range(200000)`
  const names = ['i', 'd', 't', 'b']
  const expectedRow = (i: number): unknown => ({
    i,
    d: i % 7 === 0 ? null : i * 0.5,
    t: i % 11 === 0 ? null : 'ä'.repeat(i % 20) + i,
    b: Buffer.from(`blob number ${i}`),
  })

  test('200,000 rows decode to their values', async () => {
    const store = await openStore()
    const rows = await store.rows(
      { sql, parameters: [] },
      { columnNames: names, integers: 'number' },
    )
    expect(rows.length).toBe(200_000)
    for (let i = 0; i < rows.length; i += 997) {
      expect(rows[i]).toStrictEqual(expectedRow(i))
    }
    expect(rows.every((row, i) => row['i'] === i && (row['b'] as Buffer).length > 12)).toBe(true)
  })

  test('a stream yields chunks of the asked size, in order, and can be left', async () => {
    const store = await openStore()
    const options = { columnNames: names, integers: 'number', chunkSize: 3000 } as const
    const sizes: number[] = []
    let next = 0
    for await (const rows of store.stream({ sql, parameters: [] }, options)) {
      sizes.push(rows.length)
      expect(rows[0]).toStrictEqual(expectedRow(next))
      next += rows.length
    }
    expect(next).toBe(200_000)
    expect(sizes.slice(0, -1).every((size) => size === 3000)).toBe(true)
    for (let round = 0; round < 10; round++) {
      for await (const rows of store.stream({ sql, parameters: [] }, options)) {
        expect(rows.length).toBe(3000)
        break
      }
    }
    await store.writer.execute('checkpoint')
    expect(await store.rows({ sql: 'select 1', parameters: [] }, oneColumn)).toEqual([{ x: 1 }])
  })

  test('many open streams and statements do not block each other', async () => {
    const store = await openStore()
    const options = { columnNames: names, integers: 'number', chunkSize: 10 } as const
    const streams = Array.from({ length: 10 }, () => store.stream({ sql, parameters: [] }, options))
    const firsts = await Promise.all(streams.map((stream) => stream.next()))
    expect(firsts.every(({ done }) => done === false)).toBe(true)
    expect(await store.rows({ sql: 'select 1', parameters: [] }, oneColumn)).toEqual([{ x: 1 }])
  })

  test('an error in the middle of a result is an error, not an early end', async () => {
    const store = await openStore()
    const failing = {
      sql: "select case when range = 1500000 then error('boom') else range end from range(3000000)",
      parameters: [],
    }
    await expect(store.rows(failing, oneColumn)).rejects.toMatchObject({ code: 'olap-failed' })
    const stream = store.stream(failing, { ...oneColumn, chunkSize: 1000 })
    await expect(stream.next()).rejects.toMatchObject({ code: 'olap-failed' })
  })

  test('the event loop turns while rows are decoded', async () => {
    const store = await openStore()
    let last = performance.now()
    let longest = 0
    let turns = 0
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
      turns++
    }, 1)
    await store.rows({ sql, parameters: [] }, { columnNames: names, integers: 'number' })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(20)
    expect(longest).toBeLessThan(200)
  })
})

test('makers of rows are kept for the lists of names used last', () => {
  const makers = new RowMakers()
  const first = makers.get(['first'])
  expect(makers.get(['first'])).toBe(first)
  for (let i = 0; i < limits.rowMakersMax; i++) {
    makers.get([`column ${i}`])
  }
  expect(makers.get(['first'])).not.toBe(first)
  const last = makers.get(['first', `column "${limits.rowMakersMax}`])
  const rows: Record<string, unknown>[] = []
  last(
    2,
    [
      [1, 2],
      ['a', null],
    ],
    rows,
  )
  expect(rows).toEqual([
    { first: 1, [`column "${limits.rowMakersMax}`]: 'a' },
    { first: 2, [`column "${limits.rowMakersMax}`]: null },
  ])
})

test('rows are the same in a process that forbids code from strings', () => {
  const module = new URL('../../dist/src/olap/duckdb-store.js', import.meta.url).href
  const script = `
    const { openDuckDbStore } = await import(${JSON.stringify(module)})
    const store = await openDuckDbStore({ path: ':memory:', memoryLimit: '128MB', threads: 1, tempDirectory: null })
    const rows = await store.rows({ sql: "select 1, 'x', 2", parameters: [] }, { columnNames: ['a', 'b', 'a'], integers: 'number' })
    console.log(JSON.stringify(rows))
    await store.close()`
  const output = execFileSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 30_000 },
  )
  expect(output.trim()).toBe('[{"a":2,"b":"x"}]')
})

test('an error has the caller in its stack and the cause of the engine', async () => {
  const store = await openStore()
  async function callerOfTheStore(): Promise<unknown> {
    return await store.rows({ sql: 'select nothing_like_it', parameters: [] }, oneColumn)
  }
  const error = await callerOfTheStore().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ name: 'HtapError', code: 'olap-failed' })
  expect((error as Error).stack).toContain('callerOfTheStore')
  expect((error as Error).cause).toBeInstanceOf(Error)
})

test('a wrong number of parameters, or one outside of 64 bits, is refused', async () => {
  const store = await openStore()
  for (const parameters of [[], [1n, 2n], [2n ** 63n]]) {
    await expect(store.rows({ sql: 'select ?', parameters }, oneColumn)).rejects.toMatchObject({
      code: 'olap-failed',
    })
  }
})

test('a result that is not a number is refused, but not what lies under a NULL', async () => {
  const store = await openStore()
  const notANumber = { sql: "select 'nan'::double as x", parameters: [] }
  await expect(store.rows(notANumber, { ...oneColumn, integers: 'number' })).rejects.toMatchObject({
    code: 'olap-result-unexpected',
  })
  await expect(store.arrow(notANumber, { ...oneColumn, integers: 'number' })).rejects.toMatchObject(
    {
      code: 'olap-result-unexpected',
    },
  )
  const hidden = { sql: "select nullif('nan'::double, 'nan'::double) as x", parameters: [] }
  expect(await store.rows(hidden, { ...oneColumn, integers: 'number' })).toEqual([{ x: null }])
})
