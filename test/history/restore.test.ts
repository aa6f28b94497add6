import type Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import { restore } from '../../dist/sync/history/restore.js'
import type { RestoredCounts } from '../../dist/sync/history/restored-rows.js'
import { HistoryHarness } from '../support/history-harness.js'

const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

function tableOf(h: HistoryHarness, name = 't') {
  return readHistoryTables(h.keeper.history).find((it) => it.name === name)!
}

/** Runs a transaction; the position that it has in the history. */
async function at(h: HistoryHarness, sql: string): Promise<number> {
  h.commit(sql)
  await h.keeper.move()
  return h.state.position
}

interface Restore {
  readonly position: number
  readonly keys?: readonly (readonly unknown[])[]
  readonly name?: string
  /** What the same transaction did before. */
  readonly before?: string
}

function restored(h: HistoryHarness, { position, keys, name, before = '' }: Restore) {
  h.database.exec(`begin immediate; ${before}`)
  const props = keys === undefined ? { position } : { position, keys }
  const counts = restore(h.database, h.keeper.history, tableOf(h, name), props)
  h.database.exec('commit')
  h.keeper.noteCommit()
  return counts
}

function rows(database: Database.Database, sql: string): unknown[] {
  return database.prepare(sql).raw().safeIntegers().all()
}

const nothing: RestoredCounts = { inserted: 0, updated: 0, deleted: 0, altered: 0 }

describe('restoring', () => {
  it('should bring a row back to what it was, and touch no other', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    const first = await at(h, 'insert into t values (1, 10), (2, 20), (3, 30)')
    await at(h, 'update t set v = v + 1; delete from t where id = 2; insert into t values (4, 40)')
    expect(restored(h, { position: first, keys: [[2]] })).toEqual({ ...nothing, inserted: 1 })
    expect(restored(h, { position: first, keys: [[1], [4], [9]] })).toEqual({
      ...nothing,
      updated: 1,
      deleted: 1,
    })
    expect(rows(h.database, 'select * from t')).toEqual([
      [1n, 10n],
      [2n, 20n],
      [3n, 31n],
    ])
    expect(restored(h, { position: first, keys: [[1]] })).toEqual(nothing)
  })

  it('should bring a table back, as changes of one transaction that the history has', async () => {
    const h = await HistoryHarness.open(
      'create table t(a text, b int, v, primary key (a, b)) without rowid',
    )
    const first = await at(h, "insert into t values ('x', 1, 10), ('x', 2, 20), ('y', 1, 30)")
    await at(h, "update t set v = 0 where a = 'x'; delete from t where a = 'y'")
    const second = await at(h, "insert into t values ('z', 1, 1); update t set a = 'w' where b = 2")
    expect(restored(h, { position: first })).toEqual({
      inserted: 2,
      updated: 1,
      deleted: 2,
      altered: 0,
    })
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual(h.asOf('t', first))
    expect(new Set(h.versions('t').map(([position]) => position)).size).toBe(4)
    expect(restored(h, { position: first })).toEqual(nothing)
    expect(restored(h, { position: second }).inserted).toBe(2)
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual(h.asOf('t', second))
  })

  it('should write every value as it was', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, i int, r real, s text collate nocase, b blob, n)',
    )
    h.database
      .prepare('insert into t values (1, ?, ?, ?, ?, ?)')
      .run(-(2n ** 63n), 5e-324, 'a\u0000b', Buffer.from([0, 255]), Number.POSITIVE_INFINITY)
    const first = await at(
      h,
      `insert into t values (2, 9007199254740993, 1, cast(x'61ff62' as text), x'', 1.0),
         (3, null, null, 'A', null, 1), (4, 'text', 7, '', zeroblob(9000), '1')`,
    )
    const read = `select id, typeof(i), i, typeof(r), r, typeof(s), hex(s), typeof(b), hex(b), typeof(n), n
      from t order by id`
    const before = rows(h.database, read)
    await at(
      h,
      'update t set s = lower(s), n = cast(n as int) where id = 3 or id = 2; delete from t where id in (1, 4)',
    )
    expect(restored(h, { position: first })).toEqual({ ...nothing, inserted: 2, updated: 2 })
    expect(rows(h.database, read)).toEqual(before)
  })

  it('should restore rows that have handed unique values on to each other', async () => {
    const h = await HistoryHarness.open(
      `create table t(id integer primary key, a text not null unique, b int unique, c real not null, d blob,
         unique (c, d))`,
    )
    const fill = `insert into t values (1, 'a', 1, 1, x'01'), (2, 'b', 2, 2, x'02'), (3, 'c', 3, 3, x'03')`
    const first = await at(h, fill)
    await at(
      h,
      `delete from t; insert into t values (3, 'a', 2, 1, x'01'), (1, 'b', 3, 3, x'03'), (7, 'c', 1, 2, x'02')`,
    )
    expect(restored(h, { position: first })).toEqual({
      inserted: 1,
      updated: 2,
      deleted: 1,
      altered: 0,
    })
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual(h.asOf('t', first))
  })

  it('should take nothing along that refers to rows that stay', async () => {
    const h = await HistoryHarness.open(
      `create table p(id integer primary key, v);
       create table t(id integer primary key, p references p on delete cascade);
       create table child(t references t on delete cascade)`,
    )
    h.database.pragma('foreign_keys = on')
    const first = await at(
      h,
      'insert into p values (1, 0), (2, 0); insert into t values (1, 1), (2, 2); insert into child values (1), (2)',
    )
    await at(h, 'insert into p values (3, 0); update t set p = 3; delete from p where id < 3')
    // The row goes before what it refers to comes back: looked at when all is done.
    h.database.exec('begin immediate')
    const counts = ['t', 'p'].map((name) =>
      restore(h.database, h.keeper.history, tableOf(h, name), { position: first }),
    )
    h.database.exec('commit')
    expect(counts).toEqual([
      { ...nothing, updated: 2 },
      { ...nothing, inserted: 2, deleted: 1 },
    ])
    expect(rows(h.database, 'select t from child order by 1')).toEqual([[1n], [2n]])
    h.database.exec('begin immediate; delete from t where id = 1; delete from p where id = 1')
    restore(h.database, h.keeper.history, tableOf(h), { position: first })
    expect(() => h.database.exec('commit')).toThrowError('FOREIGN KEY constraint failed')
    h.database.exec('rollback')
  })

  it('should restore many rows', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, v); create table w(a text, b int, v, primary key (b, a)) without rowid',
    )
    const fill = `with recursive s(i) as (select 1 union all select i + 1 from s where i < 20000)`
    const first = await at(
      h,
      `insert into t ${fill} select i, i from s; insert into w ${fill} select 'a' || i, i % 100, i from s`,
    )
    await at(h, 'update t set v = 0 where id > 10; delete from w where v > 10')
    expect(restored(h, { position: first })).toMatchObject({ updated: 19_990 })
    expect(restored(h, { position: first, name: 'w' })).toMatchObject({ inserted: 19_990 })
    expect(restored(h, { position: first, name: 'w', before: 'delete from w' }).altered).toBe(0)
  })

  it('should leave added columns alone, and dropped and generated ones out', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, a, b, g as (a * 2) stored)',
    )
    const first = await at(h, 'insert into t(id, a, b) values (1, 1, 1), (2, 2, 2)')
    h.foreign.exec(
      "alter table t drop column b; alter table t rename column a to x; alter table t add column y default 'new'",
    )
    await h.keeper.move()
    await at(h, "update t set x = 9, y = 'kept' where id = 1; delete from t where id = 2")
    expect(restored(h, { position: first })).toEqual({ ...nothing, inserted: 1, updated: 1 })
    expect(rows(h.database, 'select id, x, g, y from t')).toEqual([
      [1n, 1n, 2n, 'kept'],
      [2n, 2n, 4n, 'new'],
    ])
  })

  it('should see what the history has not seen yet, also what REPLACE took without a trace', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, k unique, v)')
    const first = await at(h, "insert into t values (1, 'a', 0), (2, 'b', 0), (3, 'c', 0)")
    h.foreign.exec("update t set v = 1 where id = 3; insert or replace into t values (9, 'b', 0)")
    const before = "insert or replace into t values (8, 'a', 0)"
    expect(restored(h, { position: first, before })).toEqual({
      inserted: 2,
      updated: 1,
      deleted: 2,
      altered: 0,
    })
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual(h.asOf('t', first))
  })

  it('should restore rows under the number that they had where that is no column', async () => {
    const h = await HistoryHarness.open('create table t(rowid text, v)')
    const first = await at(h, "insert into t values ('a', 1), ('b', 2)")
    await at(h, 'delete from t where v = 1; update t set v = 3')
    restored(h, { position: first })
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual(h.asOf('t', first))
  })

  it('should say how many rows the triggers of the application have changed again', async () => {
    const h = await HistoryHarness.open(
      `create table t(id integer primary key, v, stamp);
       create trigger s after update of v on t begin update t set stamp = 'now' where id = new.id; end`,
    )
    const first = await at(h, "insert into t values (1, 1, 'old'), (2, 2, 'old')")
    await at(h, 'update t set v = 5 where id = 1')
    expect(restored(h, { position: first })).toEqual({ ...nothing, updated: 1, altered: 1 })
  })

  it('should do nothing at all where a constraint refuses a row', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, k unique, v)')
    const first = await at(h, "insert into t values (1, 'a', 0), (2, 'b', 0)")
    await at(h, "delete from t where id = 1; update t set k = 'a' where id = 2")
    h.database.exec("begin immediate; insert into t values (5, 'mine', 0)")
    const run = (keys: unknown[][]) =>
      restore(h.database, h.keeper.history, tableOf(h), { position: first, keys })
    expect(() => run([[1]])).toThrowError('UNIQUE constraint failed')
    expect(rows(h.database, 'select id, k from t')).toEqual([
      [2n, 'a'],
      [5n, 'mine'],
    ])
    expect(run([[1], [2]])).toEqual({ ...nothing, inserted: 1, updated: 1 })
    h.database.exec('commit')
    expect(rows(h.database, 'select name from sqlite_temp_schema')).toEqual([])
  })

  it('should be refused where the history does not tell, and outside of a transaction', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    const first = await at(h, 'insert into t values (1, 1)')
    const run = (position: number) => () =>
      restore(h.database, h.keeper.history, tableOf(h), { position })
    const refused = (code: string) => expect.objectContaining({ code })
    expect(run(first)).toThrowError(refused('assertion'))
    h.database.exec('begin')
    expect(run(0)).toThrowError(refused('history-incomplete'))
    h.database.exec('commit; alter table t add column w')
    h.database.exec('begin')
    expect(run(first)).toThrowError(refused('history-incomplete'))
    h.database.exec('drop table t')
    expect(run(first)).toThrowError(refused('table-unknown'))
    h.database.exec('rollback')
  })
})

describe(`restoring at random (seed ${seed})`, () => {
  it('should give back every copy of the tables', async () => {
    let state = seed
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return (state >> 8) % below
    }
    const h = await HistoryHarness.open(
      `create table t(id integer primary key, k text collate nocase unique, n not null, unique (n, k));
       create table w(a int, b text, c unique, primary key (b, a)) without rowid`,
    )
    const value = () => ['1', '1.0', "'a'", "'A'", "'b'", "x'61'", "'3'", '3', '-7'][random(9)]
    const nullable = () => (random(4) === 0 ? 'null' : value())
    const statement = () =>
      [
        `insert or replace into t values (${random(9)}, ${nullable()}, ${value()})`,
        `update or replace t set n = ${value()} where id > ${random(9)}`,
        `update or replace t set id = ${random(9)} where id = ${random(9)}`,
        `delete from t where id = ${random(9)}`,
        `insert or replace into w values (${random(3)}, 'b${random(3)}', ${nullable()})`,
        `update or ignore w set c = ${nullable()}, a = ${random(3)}`,
        `delete from w where c = ${value()}`,
      ][random(7)] as string
    const copy = () => [
      rows(h.database, 'select id, quote(k), quote(n) from t order by 1'),
      rows(h.database, 'select a, b, quote(c) from w order by 1, 2'),
    ]
    const copies: { position: number; tables: unknown[][] }[] = []
    for (let i = 0; i < 60; i++) {
      h.commit(`${statement()}; ${statement()}; ${statement()}`)
      if (i % 3 === 0) {
        await h.keeper.move()
        copies.push({ position: h.state.position, tables: copy() })
        const wanted = copies[random(copies.length)]!
        const before = random(2) === 0 ? statement() : ''
        restored(h, { name: 't', position: wanted.position, before })
        restored(h, { name: 'w', position: wanted.position })
        expect({ seed, i, tables: copy() }).toEqual({ seed, i, tables: wanted.tables })
      }
    }
  })
})

it('should be refused while the history has not seen the present form of the table', async () => {
  const h = await HistoryHarness.open('create table t(id integer primary key, a)')
  const position = await at(h, 'insert into t values (1, 1)')
  h.foreign.exec('alter table t add column b')
  expect(() => restored(h, { position })).toThrow('the history has not seen the present form of t')
  h.database.exec('rollback')
  await h.keeper.move()
  expect(restored(h, { position })).toMatchObject({ updated: 0 })
})
