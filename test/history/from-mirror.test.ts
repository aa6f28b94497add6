import { expect, it, onTestFinished, vi } from 'vitest'
import { pastMirror } from '../../dist/dialect/temporal/past-tables.js'
import { limits } from '../../dist/src/core/limits.js'
import type { ColumnShape } from '../../dist/src/core/table-shape.js'
import { noEnd } from '../../dist/sync/history/copied-versions.js'
import { HistoryThreads } from '../../dist/sync/history/history-threads.js'
import { applyRetention } from '../../dist/sync/history/retention.js'
import { CopiesHarness } from '../support/copies-harness.js'
import { repetitions } from '../support/deep.js'
import { Random } from '../translate/random/random.js'

// A copy of versions may take values from the mirror instead of reading them: the copy is the same.

/** More than are needed, as some are deleted. */
const rows = 1.2 * limits.versionsFromMirrorMin

/** Numbers up to so many. */
const numbers = (to: number, from = 1) =>
  `with recursive n(v) as (select ${from} union all select v + 1 from n where v < ${to})`

const schema = `create table t(id integer primary key, a int, b text, c real, d blob);
  insert into t ${numbers(rows)} select v, v % 7, 'row ' || v, v / 4.0, cast(v as blob) from n`

async function open(sql = schema): Promise<CopiesHarness> {
  const it = await CopiesHarness.open(sql)
  await it.settle()
  await it.catchUp()
  await it.expectSame()
  return it
}

/** One transaction for each text; then copies are brought up to date. */
async function commit(it: CopiesHarness, ...texts: readonly string[]): Promise<number> {
  for (const sql of texts) {
    it.h.commit(sql)
  }
  await it.settle()
  return await catchUp(it)
}

async function catchUp(it: CopiesHarness): Promise<number> {
  const fills = await it.catchUp()
  await it.expectSame()
  return fills
}

/** As `commit`, with what a query brings before it has the store to itself. */
async function commitAhead(it: CopiesHarness, ...texts: readonly string[]): Promise<number> {
  for (const sql of texts) {
    it.h.commit(sql)
  }
  await it.settle()
  await bringAhead(it)
  return await catchUp(it)
}

async function bringAhead(it: CopiesHarness): Promise<boolean> {
  const [fromMirror] = await it.copies()
  return await fromMirror.bringAhead(it.tables)
}

it('takes updates, inserts and deletes, of one transaction or several', async () => {
  const it = await open()
  expect(await commit(it, "update t set a = a + 1, b = b || '!', d = null")).toBe(1)
  expect(
    await commit(
      it,
      `update t set c = -c where id % 2 = 0; delete from t where id % 10 = 1`,
      `insert into t ${numbers(2 * rows, rows + 1)} select v, null, '', 1e308, x'00' from n`,
      'delete from t where id % 10 = 3 and id <= 1000',
    ),
  ).toBe(1)
  expect(
    await commit(
      it,
      `insert into t ${numbers(rows)} select v, 1, 'again', 0, null from n
    where v % 10 = 1`,
      `update t set a = 0 where id % 10 <> 1`,
    ),
  ).toBe(1)
  expect(await commit(it, 'delete from t')).toBe(1)
})

it('takes rows of a table without rowid, by a key of several integers', async () => {
  const it = await open(`create table t(x int, y integer, z text, primary key (y, x)) without rowid;
    insert into t ${numbers(rows)} select v % 10, v, 'z' from n`)
  expect(
    await commit(it, "update t set z = 'y' where x <> 3; delete from t where x = 3 and y < 99"),
  ).toBe(1)
  expect(await commit(it, `insert into t ${numbers(rows)} select v % 10, -v, 'n' from n`)).toBe(1)
})

it('takes them for each of several tables', async () => {
  const it = await open(`${schema}; create table u(id integer primary key, v);
    insert into u select id, a from t`)
  expect(await commit(it, 'update t set a = 1; update u set v = 2')).toBe(2)
  expect(await commit(it, 'update t set a = 2; update u set v = 3 where id = 1')).toBe(1)
})

it('follows columns that come and go', async () => {
  const it = await open()
  const change = 'update t set a = a + 1'
  for (const [alteration, altered] of [
    ['alter table t add column e default 5', change],
    ['alter table t drop column b', `${change}, e = 6 where id > 500`],
    ['alter table t rename column c to b', `${change}, b = b + 1`],
  ] as const) {
    expect(await commit(it, alteration)).toBe(0)
    expect(await commit(it, altered)).toBe(1)
  }
  // What was written before the change, or in its transaction, may have another form.
  expect(await commit(it, `${change}; alter table t drop column e`)).toBe(0)
  expect(await commit(it, change, 'alter table t add column f')).toBe(0)
  expect(await commit(it, change)).toBe(1)
})

it('reads what the mirror cannot tell: a row that had several versions', async () => {
  const it = await open()
  const change = 'update t set a = a + 1'
  expect(await commit(it, change, 'update t set a = 9 where id = 5')).toBe(0)
  expect(await commit(it, 'delete from t where id = 5; insert into t(id) values (5)', change)).toBe(
    0,
  )
  expect(await commit(it, change)).toBe(1)
})

it('reads where the mirror has other rows than the newest of the history', async () => {
  const it = await open()
  const find = it.findMirror
  const change = 'update t set a = a + 1'
  it.findMirror = () => null
  expect(await commit(it, change)).toBe(0)
  for (const elsewhere of [
    { epoch: 'another life' },
    { place: { position: 1, mark: 1n } },
    { schemaVersion: 1 },
  ]) {
    it.findMirror = (name) => ({ ...find(name)!, ...elsewhere })
    expect(await commit(it, change)).toBe(0)
  }
  it.findMirror = find
  expect(await commit(it, change)).toBe(1)
})

it.each([
  ['misses rows', `insert into t(id) ${numbers(2 * rows, rows + 1)} select v from n`],
  ['has rows that are gone', 'delete from t'],
])('reads where the mirror %s, whatever it says of itself', async (_, change) => {
  const it = await open()
  const find = it.findMirror
  it.findMirror = (name) => {
    const { seq, mark } = it.h.state
    return { ...find(name)!, place: { position: seq, mark: mark! } }
  }
  const [fromMirror] = await it.copies()
  await it.mirror.engine.exclusively(async () => {
    it.h.commit(change)
    await it.h.keeper.move()
    await fromMirror.catchUp(it.tables)
  })
  expect(await it.catchUp()).toBe(0)
  await it.expectSame()
})

it('leaves out a column that is the rowid, for as long as it is', async () => {
  const it = await open()
  const copied = async () => {
    const [fromMirror] = await it.copies()
    const copy = fromMirror.find(it.tables[0]!)!
    const rows = await it.writer.values(
      `select column_name from duckdb_columns() where schema_name || '.' || table_name = '${copy.sqlName}'`,
    )
    return [copy.column('c0').name, rows.flat().includes('c0')]
  }
  expect(await copied()).toEqual(['k0', false])
  expect(await commit(it, 'update t set a = 1')).toBe(1)
  it.reopen()
  expect(await commit(it, 'update t set a = 2')).toBe(1)
  expect(await copied()).toEqual(['k0', false])
  const moved =
    'create table n(id, a int, k integer primary key); insert into n(id, a) select id, a from t'
  expect(await commit(it, `${moved}; drop table t; alter table n rename to t`)).toBe(0)
  expect(await copied()).toEqual(['c0', true])
  expect(await commit(it, 'update t set a = 3, id = 2.5')).toBe(0)
})

it('reads keys that are larger than numbers of JavaScript, of rows that are gone', async () => {
  const it = await open(`create table t(k integer primary key, a);
    insert into t ${numbers(rows)} select (v << 12) + (1 << 60) + 1, v from n`)
  expect(await commit(it, 'delete from t')).toBe(0)
})

it('reads where rows were found to differ that nobody has logged', async () => {
  const it = await open()
  const triggers = it.h.foreign
    .prepare("select name from sqlite_schema where type = 'trigger'")
    .pluck()
    .all()
  it.h.foreign.exec(triggers.map((name) => `drop trigger "${String(name)}"`).join('; '))
  it.h.foreign.exec('update t set a = a + 1')
  await it.h.keeper.move()
  expect(await it.catchUp()).toBe(0)
  await it.expectSame()
})

it.each([
  [
    'keys are texts',
    'create table t(k text primary key, a) without rowid',
    "printf('k%06d', v), v",
  ],
  ['VACUUM numbers rows anew', 'create table t(k, a)', 'v, v'],
  ['a column is computed', 'create table t(k integer primary key, a, b as (a + 1.5))', 'v, v'],
])('reads where %s', async (_, table, values) => {
  const it = await open(`${table}; insert into t ${numbers(rows)} select ${values} from n`)
  expect(await commit(it, 'update t set a = a + 1')).toBe(0)
})

it('reads where a column has values of another class than it is stored for', async () => {
  const it = await open()
  expect(await commit(it, "update t set a = iif(id = 7, 'text', a + 1)")).toBe(0)
  expect(await commit(it, 'update t set c = c + 1, b = 7')).toBe(0)
})

it('reads in a thread which rows are new, and where none can be started on the main one', async () => {
  const it = await open()
  const run = vi.spyOn(HistoryThreads.prototype, 'run')
  onTestFinished(run.mockRestore)
  const identities = async () => {
    const index = run.mock.calls.findIndex(([name]) => name === 'identities')
    return (await run.mock.results[index]?.value) as unknown
  }
  expect(await commit(it, 'update t set a = 10')).toBe(1)
  expect(await identities()).toMatchObject({ result: { isRising: true } })
  run.mockClear()
  const pool = vi.spyOn(HistoryThreads.prototype, 'pool', 'get').mockReturnValue(null)
  onTestFinished(pool.mockRestore)
  expect(await commit(it, 'update t set a = 11')).toBe(1)
  expect(await identities()).toBe(null)
})

it('brings identities ahead, and anew when more has come since', async () => {
  const it = await open()
  expect(await commitAhead(it, 'update t set a = 10')).toBe(1)
  expect(await commitAhead(it, 'delete from t where id % 3 = 0', 'update t set a = 0')).toBe(1)
  it.h.commit('update t set a = 10')
  await it.settle()
  await bringAhead(it)
  expect(
    await commit(
      it,
      `insert into t ${numbers(2 * rows, rows + 1)} select v, 1, '1', 1, null from n`,
    ),
  ).toBe(1)
  it.h.commit('update t set a = 11')
  await it.settle()
  await bringAhead(it)
  expect(await catchUp(it)).toBe(1)
})

it('reads what was brought ahead where a row has had one more version since', async () => {
  const it = await open()
  it.h.commit('update t set a = 10')
  await it.settle()
  expect(await bringAhead(it)).toBe(true)
  expect(await commit(it, 'update t set a = 11 where id < 9')).toBe(0)
  expect(await commitAhead(it, 'update t set a = 12', 'delete from t where id = 5')).toBe(0)
  expect(await commitAhead(it, 'update t set a = 13')).toBe(1)
})

it('shows nothing of what comes after the position that was asked for', async () => {
  const it = await open(`create table t(id integer primary key, a int);
    insert into t ${numbers(rows)} select v, v from n`)
  const [fromMirror] = await it.copies()
  const [table] = it.tables
  const copy = fromMirror.find(table!)!
  const names = { id: 'c0', a: 'c1', valid_from: 'valid_from', valid_to: 'valid_to', op: 'op' }
  const shape = { ...copy.versions.shape, rowidAlias: 'id', columns: columnsOf(Object.keys(names)) }
  const range = { beginMin: 0, beginMax: 2 ** 53 - 1, endAfter: -1, endMax: null, deleted: true }
  const past = { name: 't', history: table!, columns: Object.values(names) }
  const all = pastMirror({ ...past, shows: { kind: 'versions', range } }, shape, copy).sqlName
  const state = rowsAt(copy.position)
  const read = async () => ({
    all: await it.writer.values(`select * from ${all} order by all`),
    state: await it.writer.values(`select k0, c1 from ${copy.sqlName} where ${state} order by all`),
  })
  const before = await read()
  expect([before.all.length, before.state.length]).toEqual([rows, rows])

  it.h.commit('update t set a = -a where id > 9')
  it.h.commit('delete from t where id < 9')
  await it.settle()
  expect(await bringAhead(it)).toBe(true)
  const [ended] = await it.writer.values(
    `select count(*) from ${copy.sqlName} where until > ${copy.position} and until < ${noEnd}`,
  )
  expect(ended).toEqual([BigInt(rows - 1)])
  expect(await read()).toEqual(before)
  expect(await catchUp(it)).toBe(1)
  expect(await read()).toEqual(before)
})

it('reads where versions were taken out of the history, and goes on from there', async () => {
  const it = await open()
  expect(await commit(it, 'update t set a = 10')).toBe(1)
  it.h.commit('update t set a = 11 where id <= 100')
  await it.h.keeper.move()
  const { history } = it.h.keeper
  await applyRetention(history, { versionsPerKey: 1 })
  expect(await commit(it, 'update t set a = 12 where id = 1')).toBe(0)
  expect(await commit(it, 'update t set a = 13')).toBe(1)
})

it.each([
  ['the values cannot be taken', /insert into _htap_history\.version/],
  ['the copy cannot be registered', /delete from _htap_history\.copied/],
  ['the versions cannot be brought', /create or replace temp table htap_new/],
  ['what they follow cannot be ended', /update _htap_history/],
])('reads where %s, ahead or in turn', async (_, failing) => {
  const it = await open()
  let toFail = 1
  it.onStatement = (sql) => {
    if (toFail > 0 && failing.test(sql)) {
      toFail--
      throw new Error('no memory')
    }
  }
  await commit(it, 'update t set a = 1 where id >= 100; delete from t where id < 100')
  expect(toFail).toBe(0)
  expect(await commit(it, 'update t set a = 2')).toBe(1)
  toFail = 1
  await commitAhead(it, 'update t set b = 1 where id >= 200; delete from t where id < 200')
  expect(toFail).toBe(0)
  expect(await commitAhead(it, 'update t set a = 3')).toBe(1)
  it.reopen()
  expect(await commit(it, 'update t set a = 4')).toBe(1)
})

it('goes on after a restart', async () => {
  const it = await open()
  expect(await commit(it, 'update t set a = 1')).toBe(1)
  it.reopen()
  expect(await commit(it, 'update t set a = 2')).toBe(1)
  it.h.commit('update t set a = 3')
  await it.settle()
  await bringAhead(it)
  it.reopen()
  expect(await commit(it, 'update t set b = a where id < 100')).toBe(0)
  expect(await commit(it, 'update t set a = 4')).toBe(1)
})

function columnsOf(names: readonly string[]): readonly ColumnShape[] {
  return names.map((name) => ({
    name,
    declaredType: '',
    affinity: 'blob',
    notNull: false,
    collation: 'BINARY',
    generated: false,
  }))
}

function rowsAt(position: number): string {
  return `position <= ${position} and until > ${position}`
}

const runs = repetitions('HTAP_FROM_MIRROR', 1)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

/** A statement about a random part of `t`, which has rows up to `last`. */
function randomChange(random: Random, last: number): string {
  const part = `k % ${random.integer(1, 4)} = 0 and k > ${random.integer(-last, last)}`
  return random.pick([
    `update t set a = a + 1 where ${part}`,
    `update t set a = a + 1, b = b || 'x', c = iif(k % 3, c / 3, null)`,
    `update or replace t set u = u + ${random.integer(0, 3)} where ${part}`,
    `delete from t where ${part}`,
    `insert or replace into t(k, a, b, c, u) ${numbers(last + random.integer(1, rows), last - random.integer(0, 99))}
       select v, v % 5, 'new ' || v, v / 8.0, v * 10 from n`,
    `insert or ignore into t(k, a, b, c, u) ${numbers(rows)} select v, -1, 'again', 0.5, v * 10 from n`,
  ])
}

async function runRandom(seed: number): Promise<number> {
  const random = new Random(seed)
  const key = random.pick(['k integer primary key', 'k integer not null'])
  const end = key.includes('primary') ? ')' : ', primary key (k)) without rowid'
  const it = await open(`create table t(${key}, a int, b text, c real, u int unique${end};
    insert into t ${numbers(rows)} select v, v % 7, 'row ' || v, v / 4.0, v * 10 from n`)
  let fills = await commit(it, 'update t set a = 0')
  for (let step = 0; step < 10; step++) {
    const last = Number(it.h.database.prepare('select coalesce(max(k), 1) from t').pluck().get())
    const texts = Array.from({ length: random.integer(1, 2) }, () => randomChange(random, last))
    if (random.chance(0.1)) {
      it.h.commit(`alter table t add column c${step} default ${step}`)
    }
    if (random.chance(0.1)) {
      it.reopen()
    }
    if (random.chance(0.1)) {
      await applyRetention(it.h.keeper.history, { versionsPerKey: 2 })
    }
    fills += await (random.chance(0.5) ? commitAhead : commit)(it, ...texts)
  }
  return fills
}

it(`has the same versions after random changes, ${runs} times (seed ${seed})`, {
  timeout: 3_600_000,
}, async () => {
  let fills = 0
  for (let run = 0; run < runs; run++) {
    fills += await runRandom(seed + run).catch((error: unknown) => {
      throw new Error(`seed ${seed + run}`, { cause: error })
    })
  }
  expect(fills).toBeGreaterThan(0)
})
