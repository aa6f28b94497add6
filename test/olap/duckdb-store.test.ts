import { spawnSync } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { batchOf } from './batches.js'
import { longStatement, oneColumn, openStore, temporaryFolder } from './stores.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const moduleUrl = new URL('../../dist/src/olap/duckdb-store.js', import.meta.url).href

async function later(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

describe('opening', () => {
  test('settings give SQLite’s answers on every connection, and are locked', async () => {
    const store = await openStore()
    const sql = `select 7 / 2, 1.0::double / 0, current_setting('TimeZone'), list_first(list(v order by v))
      from (values (2), (null), (1)) x(v)`
    const options = { columnNames: ['a', 'b', 'c', 'd'], integers: 'number' } as const
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => store.rows({ sql, parameters: [] }, options)),
    )
    for (const rows of results) {
      expect(rows).toStrictEqual([{ a: 3, b: null, c: 'UTC', d: null }])
    }
    expect(await store.writer.values('select 7 / 2')).toEqual([[3n]])
    await expect(store.writer.execute('set threads = 1')).rejects.toMatchObject({
      code: 'olap-failed',
    })
  })

  test('statements reach no file of the machine', async () => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/secret.csv`, 'a,b\n1,2\n')
    for (const path of [':memory:', `${folder}/a.duckdb`]) {
      const store = await openStore({ path })
      for (const sql of [
        `select * from read_csv('${folder}/secret.csv')`,
        `copy (select 1) to '${folder}/out.csv'`,
        `attach '${folder}/other.duckdb' as other`,
      ]) {
        await expect(store.writer.execute(sql)).rejects.toMatchObject({ code: 'olap-failed' })
      }
    }
    expect(existsSync(`${folder}/out.csv`)).toBe(false)
  })

  test('work beyond the memory limit spills to the temporary directory', async () => {
    const folder = temporaryFolder()
    const store = await openStore({
      path: `${folder}/a.duckdb`,
      memoryLimit: '64MB',
      tempDirectory: `${folder}/tmp`,
    })
    await store.writer.execute(
      "create table t as select range as i, 'text number ' || hash(range) as t from range(1500000)",
    )
    await store.writer.execute('checkpoint')
    const sql = 'select count(*) from (select t, row_number() over (order by t) from t)'
    expect(await store.rows({ sql, parameters: [] }, oneColumn)).toEqual([{ x: 1_500_000 }])
    await store.close()
    const without = await openStore({ path: `${folder}/a.duckdb`, memoryLimit: '64MB' })
    await expect(without.rows({ sql, parameters: [] }, oneColumn)).rejects.toMatchObject({
      code: 'olap-failed',
    })
  })

  test('one file is open only once in a process, by whatever name', async () => {
    const folder = temporaryFolder()
    const path = `${folder}/a.duckdb`
    const first = await openStore({ path })
    symlinkSync(path, `${folder}/b.duckdb`)
    for (const again of [path, `${folder}/./a.duckdb`, `${folder}/b.duckdb`]) {
      await expect(openStore({ path: again })).rejects.toMatchObject({
        code: 'mirror-unavailable',
        message: expect.stringContaining('is already open in this process'),
        facts: { reason: 'in-use' },
      })
    }
    await first.writer.execute('create table t as select 1 as x')
    await first.close()
    const second = await openStore({ path })
    expect(await second.rows({ sql: 'select x from t', parameters: [] }, oneColumn)).toEqual([
      { x: 1 },
    ])
  })

  test('two racing opens of one new file: one wins', async () => {
    const path = `${temporaryFolder()}/a.duckdb`
    const results = await Promise.allSettled([openStore({ path }), openStore({ path })])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('a file that is no database, or in no folder, is refused and can be tried again', async () => {
    const folder = temporaryFolder()
    const path = `${folder}/a.duckdb`
    writeFileSync(path, 'not a database at all, but a text of some length'.repeat(1000))
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openStore({ path })).rejects.toMatchObject({
        code: 'mirror-unavailable',
        message: expect.stringContaining('cannot be opened:'),
        facts: { reason: 'refused' },
      })
    }
    await expect(openStore({ path: `${folder}/none/a.duckdb` })).rejects.toMatchObject({
      code: 'mirror-unavailable',
      message: expect.stringContaining('does not exist'),
      facts: { reason: 'folder-missing' },
    })
  })

  test('a file that another process has open is refused as locked', async () => {
    const path = `${temporaryFolder()}/a.duckdb`
    const store = await openStore({ path })
    await store.writer.execute('select 1')
    const script = `
      const { openDuckDbStore } = await import(${JSON.stringify(moduleUrl)})
      await openDuckDbStore({ path: ${JSON.stringify(path)}, memoryLimit: '64MB', threads: 1, tempDirectory: null })
        .then(() => console.log('opened'), (error) => console.log(error.code, error.facts.reason))`
    expect(run(script).stdout.trim()).toBe('mirror-unavailable locked')
  })
})

describe('writer', () => {
  test('statements run in the order of their calls, without waiting between', async () => {
    const store = await openStore()
    const calls = [store.writer.execute('create table t (x bigint)')]
    for (let i = 0; i < 20; i++) {
      calls.push(store.writer.execute('insert into t values (?)', [BigInt(i)]))
    }
    await Promise.all(calls)
    const found = await store.writer.values('select x from t order by rowid')
    expect(found).toEqual(Array.from({ length: 20 }, (_, i) => [BigInt(i)]))
  })

  test('several statements in one text, and a transaction', async () => {
    const store = await openStore()
    await store.writer.execute('begin; create table t (x bigint); insert into t values (1); commit')
    await store.writer.execute('begin')
    await store.writer.execute('insert into t values (?)', [2n])
    expect(await store.rows({ sql: 'select x from t', parameters: [] }, oneColumn)).toEqual([
      { x: 1 },
    ])
    await store.writer.execute('rollback')
    expect(await store.writer.values('select * from t')).toEqual([[1n]])
    await expect(store.writer.execute('no sql')).rejects.toMatchObject({ code: 'olap-failed' })
  })

  test('values gives integers of every width as bigint, and the rest as stored', async () => {
    const store = await openStore()
    const sql =
      "select 1::tinyint, true, 2::bigint, ?::hugeint * 4, 0.5::double, 'a', '\\x01'::blob, null"
    expect(await store.writer.values(sql, [2n ** 62n])).toEqual([
      [1n, 1n, 2n, 2n ** 64n, 0.5, 'a', Buffer.from([1]), null],
    ])
  })
})

describe('side writer', () => {
  test('writes to other tables in the middle of a transaction of the writer', async () => {
    const path = join(temporaryFolder(), 'besides.duckdb')
    const store = await openStore({ path })
    await store.writer.execute('create table a(v bigint); create table b(v bigint)')
    await store.writer.execute('begin; insert into a values (1)')
    await store.sideWriter.execute('begin; insert into b values (2)')
    const appender = await store.sideWriter.appender(
      { catalog: null, schema: 'main', table: 'b' },
      ['int64'],
    )
    appender.append(batchOf(['int64'], [[3n]]))
    appender.close()
    await store.sideWriter.execute('commit')
    expect(await store.writer.values('select * from b')).toEqual([])
    await store.writer.execute('insert into a values (4); commit')
    expect(await store.writer.values('from a union all from b order by 1')).toEqual(
      [1n, 2n, 3n, 4n].map((value) => [value]),
    )
  })

  test('is interrupted by a close, and leaves nothing that was not committed', async () => {
    const path = join(temporaryFolder(), 'besides.duckdb')
    const store = await openStore({ path })
    await store.sideWriter.execute('create table a(v bigint); begin; insert into a values (1)')
    const long = store.sideWriter.values(longStatement.sql).catch((error) => error.code)
    await later(50)
    await store.close()
    expect(await long).toBe('closed')
    const again = await openStore({ path })
    expect(await again.writer.values('select * from a')).toEqual([])
  })
})

describe('abort', () => {
  test('a running statement is interrupted and its connection stays usable', async () => {
    const store = await openStore()
    for (const wait of [0, 1, 30, 30, 30]) {
      const abort = new AbortController()
      const running = store.rows(longStatement, { ...oneColumn, signal: abort.signal })
      await later(wait)
      abort.abort(new Error('enough'))
      await expect(running).rejects.toThrow('enough')
    }
    const started = performance.now()
    const sql = 'select 1'
    const results = await Promise.all(
      [1, 2, 3].map(() => store.rows({ sql, parameters: [] }, oneColumn)),
    )
    expect(results).toEqual([[{ x: 1 }], [{ x: 1 }], [{ x: 1 }]])
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('an abort in the same tick is not lost', async () => {
    const store = await openStore()
    const abort = new AbortController()
    const running = store.rows(longStatement, { ...oneColumn, signal: abort.signal })
    abort.abort()
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
    await store.close()
  })

  test('a waiting statement is refused at once and never runs', async () => {
    const store = await openStore()
    const abort = new AbortController()
    const running = [1, 2].map(() =>
      store.rows(longStatement, { ...oneColumn, signal: abort.signal }),
    )
    const waiting = new AbortController()
    const queued = store.rows(
      { sql: "select error('ran')", parameters: [] },
      { ...oneColumn, signal: waiting.signal },
    )
    const next = store.rows({ sql: 'select 3', parameters: [] }, oneColumn)
    await later(20)
    waiting.abort(new Error('not needed'))
    await expect(queued).rejects.toThrow('not needed')
    abort.abort(new Error('enough'))
    await Promise.all(running.map((each) => expect(each).rejects.toThrow('enough')))
    expect(await next).toEqual([{ x: 3 }])
    const before = AbortSignal.abort(new Error('before'))
    await expect(store.rows(longStatement, { ...oneColumn, signal: before })).rejects.toThrow(
      'before',
    )
  })

  test('a stream and an Arrow table stop as well', async () => {
    const store = await openStore()
    const abort = new AbortController()
    const many = { sql: 'select range from range(100000)', parameters: [] }
    const stream = store.stream(many, { ...oneColumn, chunkSize: 100, signal: abort.signal })
    expect((await stream.next()).value).toHaveLength(100)
    const table = store.arrow(longStatement, { ...oneColumn, signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(stream.next()).rejects.toThrow('enough')
    await expect(table).rejects.toThrow('enough')
  })
})

test('more statements than may wait are refused', async () => {
  const store = await openStore()
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  const options = { ...oneColumn, signal: abort.signal }
  const work = Array.from({ length: limits.analyticStatementsMax + limits.analyticQueueMax }, () =>
    store.rows(longStatement, options),
  )
  const results = Promise.allSettled(work)
  await expect(store.rows(longStatement, options)).rejects.toMatchObject({
    code: 'olap-failed',
    message: expect.stringContaining('statements are waiting'),
  })
  abort.abort(new Error('enough'))
  expect(
    (await results).every((r) => r.status === 'rejected' && r.reason.message === 'enough'),
  ).toBe(true)
})

describe('closing', () => {
  test('interrupts what runs, refuses what waits and comes, and is idempotent', async () => {
    const path = `${temporaryFolder()}/a.duckdb`
    const store = await openStore({ path })
    await store.writer.execute('create table t as select 1 as x')
    await store.writer.execute('begin; insert into t values (2)')
    const work = [
      ...[1, 2, 3, 4].map(() => store.rows(longStatement, oneColumn)),
      store.writer.execute(longStatement.sql),
      store.writer.execute('insert into t values (3)'),
    ]
    await later(20)
    const closing = [store.close(), store.close()]
    const results = await Promise.allSettled(work)
    expect(results.map((r) => r.status === 'rejected' && r.reason.code)).toEqual(
      work.map(() => 'closed'),
    )
    await Promise.all(closing)
    await expect(store.rows({ sql: 'select 1', parameters: [] }, oneColumn)).rejects.toMatchObject({
      code: 'closed',
    })
    await expect(store.writer.execute('select 1')).rejects.toMatchObject({ code: 'closed' })
    const again = await openStore({ path })
    expect(await again.writer.values('select x from t')).toEqual([[1n]])
  })

  test('leaves a checkpointed file', async () => {
    const path = `${temporaryFolder()}/a.duckdb`
    const store = await openStore({ path })
    await store.writer.execute('create table t as select range as x from range(100000)')
    expect((await store.sizes()).fileBytes).toBeGreaterThan(statSync(path).size)
    await store.close()
    expect(existsSync(`${path}.wal`)).toBe(false)
  })

  test('a store opens and closes many times, also after failed statements and left streams', async () => {
    const path = `${temporaryFolder()}/a.duckdb`
    for (let round = 0; round < 6; round++) {
      const store = await openStore({ path })
      await store.writer.execute('create table if not exists t (x bigint)')
      await store.writer.execute('insert into t values (?)', [BigInt(round)])
      const failing = { sql: "select error('boom') from t", parameters: [] }
      await expect(store.rows(failing, oneColumn)).rejects.toMatchObject({ code: 'olap-failed' })
      const many = { sql: 'select range from range(100000)', parameters: [] }
      const stream = store.stream(many, { ...oneColumn, chunkSize: 10 })
      await stream.next()
      await store.close()
      await expect(stream.next()).rejects.toMatchObject({ code: 'closed' })
    }
    const store = await openStore({ path })
    expect(await store.writer.values('select count(*) from t')).toEqual([[6n]])
  })

  test('a process that closes in the tick of a statement ends by itself, without a crash', () => {
    const path = `${temporaryFolder()}/a.duckdb`
    const script = `
      const { openDuckDbStore } = await import(${JSON.stringify(moduleUrl)})
      for (const path of [':memory:', ${JSON.stringify(path)}]) {
        for (const wait of [null, 0, 20]) {
          const store = await openDuckDbStore({ path, memoryLimit: '128MB', threads: 2, tempDirectory: null })
          const work = [1, 2, 3].map(() => store.rows(${JSON.stringify(longStatement)}, ${JSON.stringify(oneColumn)}))
          work.push(store.writer.execute(${JSON.stringify(longStatement.sql)}))
          if (wait !== null) await new Promise((resolve) => setTimeout(resolve, wait))
          const results = Promise.allSettled(work)
          await store.close()
          console.log((await results).map((result) => result.reason?.code).join())
        }
      }`
    const { status, stdout, stderr } = run(script)
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toEqual(new Array(6).fill('closed,closed,closed,closed'))
  })

  test('a process that exits while statements run neither waits for them nor crashes', () => {
    const script = `
      const { openDuckDbStore } = await import(${JSON.stringify(moduleUrl)})
      const store = await openDuckDbStore({ path: ':memory:', memoryLimit: '128MB', threads: 2, tempDirectory: null })
      store.rows(${JSON.stringify(longStatement)}, ${JSON.stringify(oneColumn)}).catch(() => {})
      setTimeout(() => process.exit(7), 50)`
    const started = performance.now()
    expect(run(script).status).toBe(7)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

function run(script: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: root,
    timeout: 30_000,
  })
}
