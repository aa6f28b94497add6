import { describe, expect, it } from 'vitest'
import { HistoryHarness } from '../support/history-harness.js'

describe('capture for the history', () => {
  it('should keep every version, with its operation', async () => {
    const h = await HistoryHarness.open(
      "create table t(id integer primary key, a, b text); insert into t values (1, 'x', 'y')",
    )
    h.commit("insert into t values (2, 5, 'two')")
    h.commit('update t set a = 6 where id = 2')
    h.commit('delete from t where id = 2')
    h.commit("insert into t values (2, 7, 'again')")
    await h.keeper.move()
    expect(h.story('t')).toEqual([
      'I 1 1 x y',
      'I 2 2 5 two',
      'U 2 2 6 two',
      'D 2 null null null',
      'I 2 2 7 again',
    ])
    expect(h.kinds()).toEqual(['initial', 'commit', 'commit', 'commit', 'commit'])
    h.expectPresent('t', 'id', 'id, a, b')
  })

  it('should keep values of every storage class exactly', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, i int, r real, s text, b blob, n)',
    )
    const insert = h.database.prepare('insert into t(i, r, s, b, n) values (?, ?, ?, ?, ?)')
    const big = 2n ** 63n - 1n
    const rows: unknown[][] = [
      [big, 1e308, '', Buffer.alloc(0), 5],
      [-big - 1n, 5e-324, 'žluťoučký', Buffer.from([0, 255]), 5n],
      [2n ** 53n + 1n, Number.POSITIVE_INFINITY, 'a\u0000b', null, '5'],
      [null, null, null, null, -0.0],
      ['text', 7, 12, Buffer.alloc(100_000, 1), Buffer.from('5')],
    ]
    for (const row of rows) {
      insert.run(...row)
    }
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, i, r, s, b, n')
    const bytes = 'select hex(cast(s as blob)) from t'
    h.database.exec("insert into t(s) values (cast(x'61ff62' as text))")
    await h.keeper.move()
    expect(
      h.keeper.history
        .prepare('select hex(cast(c3 as blob)) from version_1 where k0 = 6')
        .pluck()
        .get(),
    ).toBe(h.database.prepare(`${bytes} where id = 6`).pluck().get())
  })

  it('should keep a generated REAL that is whole as the REAL that it is', async () => {
    const h = await HistoryHarness.open(
      `create table t(id integer primary key, n,
         v real generated always as (n * 2) virtual, s real generated always as (n * 2) stored);
       insert into t(n) values (1), (-0.0), ('x'), (null)`,
    )
    h.commit('insert into t(n) values (2), (0.25)')
    h.commit('update t set n = n + 1 where id = 1')
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, n, v, s')
    const kinds = h.keeper.history.prepare(
      "select count(*) from version_1 where 'real' not in (typeof(c2), typeof(c3)) and c1 is not null",
    )
    expect(kinds.pluck().safeIntegers(false).get()).toBe(0)
    const { length } = h.versions('t')
    h.keeper.history.exec('update history.history_capture set is_compared = 0')
    await h.keeper.move()
    expect(h.versions('t')).toHaveLength(length)
  })

  it.each([
    'alter table t rename column id to named',
    'alter table t rename column a to named',
    'drop table t; create table t(other text primary key, a unique) without rowid',
    'alter table t rename to renamed; create table t(id integer primary key, a unique)',
  ])('should take up what was written before "%s"', async (change) => {
    const h = await HistoryHarness.open(
      'create table t(id text primary key, a unique) without rowid',
    )
    h.commit("insert into t values ('x', 1), ('y', 2)")
    h.commit("insert or replace into t values ('z', 2)")
    h.database.exec(change)
    await h.keeper.move()
    const versions = h.keeper.history
      .prepare('select op, k0, c1 from version_1 order by id limit 4')
      .raw()
      .all() as unknown[][]
    expect(versions.map((row) => row.map(String).join(' '))).toEqual([
      'I x 1',
      'I y 2',
      'D y null',
      'I z 2',
    ])
  })

  it('should follow keys of every form, and their changes', async () => {
    const h = await HistoryHarness.open(
      `create table alias(id integer primary key, v);
       create table plain(a, b);
       create table composite(a text, b int, v, primary key (b, a)) without rowid`,
    )
    h.commit(
      "insert into alias values (1, 'a'), (2, 'b'); insert into plain values (1, 'x'), (1, 'x')",
    )
    h.commit("insert into composite values ('p', 1, 0), ('q', 1, 0)")
    h.commit("update alias set id = 5 where id = 1; update composite set a = 'r' where a = 'q'")
    h.commit('update alias set id = id + 10; delete from plain where rowid = 1')
    h.commit("replace into composite values ('p', 1, 9)")
    await h.keeper.move()
    // Which of the two versions of a changed key comes first is SQLite's choice.
    expect(h.story('alias').slice(2).sort()).toEqual([
      'D 1 null null',
      'D 2 null null',
      'D 5 null null',
      'I 12 12 b',
      'I 15 15 a',
      'I 5 5 a',
    ])
    expect(h.story('composite').slice(2).sort()).toEqual([
      'D 1 q null null null',
      'I 1 r r 1 0',
      'U 1 p p 1 9',
    ])
    h.expectPresent('plain', 'rowid', 'a, b')
  })

  it('should find the rows that REPLACE removes, at their moment', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, k text collate nocase unique, n int unique, v)',
    )
    h.commit("insert into t values (1, 'a', 1, 0), (2, 'b', 2, 0), (3, 'c', 3, 0)")
    await h.keeper.move()
    h.commit("insert or replace into t values (4, 'A', 2, 1)")
    const taken = h.database.prepare('select max(seq) from _htap_log').pluck().get() as number
    h.commit("insert into t values (1, 'again', 9, 2)")
    h.commit("update or replace t set k = 'C' where id = 1")
    await h.keeper.move()
    expect(h.story('t').slice(3)).toEqual([
      'D 1 null null null null',
      'D 2 null null null null',
      'I 4 4 A 2 1',
      'I 1 1 again 9 2',
      'D 3 null null null null',
      'U 1 1 C 9 2',
    ])
    expect(h.asOf('t', taken + h.state.shift).map(([key]) => key)).toEqual([3n, 4n])
    h.expectPresent('t', 'id', 'id, k, n, v')
  })

  it('should find them by a look at the table where no value can tell', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, k text); create unique index u on t(lower(k))',
    )
    h.commit("insert into t values (1, 'a'), (2, 'b')")
    await h.keeper.move()
    h.commit("insert or replace into t values (3, 'B')")
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, k')
    expect(h.kinds().at(-1)).toBe('commit')
  })

  it('should not take a row for replaced that only shared a value while no index was there', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, k, v); create unique index u on t(k)',
    )
    h.commit("insert into t values (1, 'a', 0), (2, 'b', 0)")
    await h.keeper.move()
    h.foreign.exec(
      `drop index u; insert into t values (3, 'a', 0), (4, 'b', 0);
       update t set v = 1 where id = 1; update t set k = 'c' || id where id in (1, 2)`,
    )
    h.foreign.exec("create unique index u on t(k); insert into t values (5, 'd', 0)")
    await h.keeper.move()
    expect(
      h.story('t').filter((line) => line.startsWith('D') || line.startsWith('I')),
    ).toHaveLength(5)
    h.foreign.exec("drop index u; insert into t values (6, 'd', 0)")
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, k, v')
    expect(h.story('t').filter((line) => line.startsWith('D'))).toEqual([])
  })

  it('should say what the table holds when triggers of the application change the row again', async () => {
    const h = await HistoryHarness.open(
      `create table t(id integer primary key, v, w);
       create trigger stamp after insert on t begin update t set w = 'stamped' where id = new.id; end;
       create trigger refuse after update of v on t when new.v < 0
         begin delete from t where id = new.id; end`,
    )
    h.commit('insert into t(id, v) values (1, 1), (2, 2)')
    h.commit('update t set v = -1 where id = 1')
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, v, w')
    h.commit(
      "create trigger undo after delete on t when old.v = 2 begin insert into t values (2, 3, 'back'); end",
    )
    h.commit('delete from t where id = 2')
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, v, w')
    expect(h.asOf('t', h.state.position)).toEqual([[2n, 2n, 3n, 'stamped']])
  })

  it('should log nothing of what is rolled back', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v unique)')
    h.database.exec('begin; insert into t values (1, 1); rollback')
    h.database.exec(
      'begin; insert into t values (2, 2); savepoint s; delete from t; rollback to s; commit',
    )
    h.database.exec('insert or ignore into t values (3, 2)')
    await h.keeper.move()
    expect(h.story('t')).toEqual(['I 2 2 2'])
  })
})

describe('schema changes of a connection that knows nothing of us', () => {
  const begin = async () => {
    const h = await HistoryHarness.open(
      "create table t(id integer primary key, a, b, c); insert into t values (1, 'a', 'b', 'c')",
    )
    return h
  }

  it('should let a column be dropped, and go on', async () => {
    const h = await begin()
    h.foreign.exec("alter table t drop column b; insert into t values (2, 'a2', 'c2')")
    await h.keeper.move()
    h.foreign.exec("update t set a = 'a3' where id = 2")
    await h.keeper.move()
    expect(h.story('t')).toEqual(['I 1 1 a b c', 'I 2 2 a2 null c2', 'U 2 2 a3 null c2'])
  })

  it('should follow a column through its names', async () => {
    const h = await begin()
    h.foreign.exec(
      `alter table t rename column a to x; alter table t rename column b to a;
       insert into t values (2, 'x2', 'a2', 'c2')`,
    )
    await h.keeper.move()
    h.foreign.exec("update t set x = 'x3', a = 'a3' where id = 2")
    await h.keeper.move()
    h.foreign.exec('alter table t drop column a')
    await h.keeper.move()
    h.foreign.exec('alter table t rename column x to a')
    h.foreign.exec("update t set a = 'x4' where id = 2")
    await h.keeper.move()
    expect(h.story('t')).toEqual([
      'I 1 1 a b c',
      'I 2 2 x2 a2 c2',
      'U 2 2 x3 a3 c2',
      'U 2 2 x4 null c2',
    ])
  })

  it('should read an added column as its default in versions from before', async () => {
    const h = await begin()
    h.foreign.exec(
      "alter table t add column d text default 7; insert into t values (2, 0, 0, 0, 'd')",
    )
    await h.keeper.move()
    h.foreign.exec("update t set d = 'other' where id = 1; alter table t drop column d")
    await h.keeper.move()
    h.foreign.exec('update t set a = 5 where id = 1')
    await h.keeper.move()
    expect(h.versions('t').map((row) => row.slice(1))).toEqual([
      ['I', 1, 1, 'a', 'b', 'c', '7'],
      ['I', 2, 2, 0, 0, 0, '7'],
      ['U', 2, 2, 0, 0, 0, 'd'],
      ['U', 1, 1, 'a', 'b', 'c', 'other'],
      ['U', 1, 1, 5, 'b', 'c', null],
    ])
  })

  it('should note what happened while a table was not captured', async () => {
    const h = await begin()
    h.foreign.exec(
      `create table n(id integer primary key, c, a, z);
       insert into n select id, c, a, 'z' from t; drop table t; alter table n rename to t;
       insert into t values (2, 'c2', 'a2', 'z2')`,
    )
    await h.keeper.move()
    expect(h.story('t')).toEqual(['I 1 1 a b c null', 'U 1 1 a null c z', 'I 2 2 a2 null c2 z2'])
    expect(h.kinds()).toEqual(['initial', 'found'])
  })

  it('should end the rows of a table that is dropped, and those under another key', async () => {
    const h = await begin()
    h.foreign.exec('alter table t rename to u')
    await h.keeper.move()
    expect(h.story('t')).toEqual(['I 1 1 a b c', 'D 1 null null null null'])
    expect(h.story('u')).toEqual(['I 1 1 a b c'])
    h.foreign.exec(
      "drop table u; create table u(k text primary key) without rowid; insert into u values ('k')",
    )
    await h.keeper.move()
    expect(h.story('u')).toEqual(['I k k'])
    expect(
      h.keeper.history.prepare('select count(*) from history_table where ended > 0').pluck().get(),
    ).toBe(2)
  })

  it('should refuse a table that uses our names, and leave its writes alone', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, _HTAP_at)')
    h.commit('insert into t values (1, 2)')
    await h.keeper.move()
    expect([...h.keeper.refused.keys()]).toEqual(['t'])
  })
})
