import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { SyncHarness } from '../support/sync-harness.js'

describe.each(['file', 'memory'] as const)('capture and apply (%s)', (kind) => {
  const open = async (schema: string, ...tables: string[]) => {
    const harness = await SyncHarness.open(kind)
    harness.database.exec(schema)
    await harness.mirror(...tables)
    return harness
  }

  it('should follow inserts, updates and deletes', async () => {
    const h = await open('create table t(id integer primary key, a int, b text)', 't')
    h.database.exec("insert into t values (1, 10, 'x'), (2, 20, 'y'), (3, 30, null)")
    await h.expectEqual('t')
    h.database.exec('update t set a = a + 1 where id < 3; delete from t where id = 3')
    await h.expectEqual('t')
    expect(h.sqliteRows('t')).toHaveLength(2)
  })

  it('should copy the rows that are there before the first need', async () => {
    const h = await SyncHarness.open(kind)
    h.database.exec('create table t(id integer primary key, a)')
    h.database.exec(
      'insert into t select value, value * 1.5 from generate_series(1, 10000)'.replace(
        'generate_series(1, 10000)',
        '(with recursive s(value) as (select 1 union all select value + 1 from s where value < 10000) select value from s)',
      ),
    )
    await h.mirror('t')
    await h.expectEqual('t')
  })

  it('should follow a change of the primary key', async () => {
    const h = await open('create table t(id integer primary key, a int)', 't')
    h.database.exec('insert into t values (1, 1), (2, 2)')
    await h.engine.syncNow()
    h.database.exec('update t set id = 7 where id = 1; update t set id = id + 100')
    await h.expectEqual('t')
  })

  it('should follow upserts', async () => {
    const h = await open('create table t(id integer primary key, k text unique, n int)', 't')
    h.database.exec("insert into t values (1, 'a', 1), (2, 'b', 1)")
    await h.engine.syncNow()
    h.database.exec(
      "insert into t(k, n) values ('a', 5), ('c', 6) on conflict(k) do update set n = n + excluded.n",
    )
    await h.expectEqual('t')
  })

  it('should notice rows that REPLACE removed through a secondary unique key', async () => {
    const h = await open('create table t(id integer primary key, k text unique, n int)', 't')
    h.database.exec("insert into t values (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)")
    await h.engine.syncNow()
    h.database.exec("insert or replace into t values (9, 'a', 2)")
    await h.expectEqual('t')
    h.database.exec("update or replace t set k = 'b' where id = 3")
    await h.expectEqual('t')
    expect(h.sqliteRows('t')).toHaveLength(2)
  })

  it('should notice them also when the replacing row went on changing before the sync', async () => {
    const h = await open('create table t(id integer primary key, k text unique, n int)', 't')
    h.database.exec("insert into t values (1, 'a', 1), (2, 'b', 1)")
    await h.engine.syncNow()
    h.database.exec(`begin;
      insert or replace into t values (9, 'a', 2);
      update t set k = 'z' where id = 9;
      insert or replace into t values (10, 'b', 2);
      delete from t where id = 10;
      commit`)
    await h.expectEqual('t')
    expect(h.sqliteRows('t')).toHaveLength(1)
  })

  it('should notice them with collations, partial and expression indexes', async () => {
    const h = await open(
      `create table t(id integer primary key, k text collate nocase unique, n int, m text);
       create unique index t_n on t(n) where n > 0;
       create unique index t_m on t(lower(m))`,
      't',
    )
    h.database.exec("insert into t values (1, 'a', 1, 'x'), (2, 'b', 2, 'y'), (3, 'c', -1, 'z')")
    await h.engine.syncNow()
    h.database.exec("insert or replace into t values (11, 'A', 5, 'q')")
    await h.expectEqual('t')
    h.database.exec("insert or replace into t values (12, 'k', 2, 'r')")
    await h.expectEqual('t')
    h.database.exec("insert or replace into t values (13, 'l', 9, 'Z')")
    await h.expectEqual('t')
    expect(h.sqliteRows('t')).toHaveLength(3)
  })

  it('should follow REPLACE on a text primary key', async () => {
    const h = await open('create table kv(k text primary key, v)', 'kv')
    h.database.exec("insert into kv values ('a', 'x'), ('b', 'y'), ('c', null)")
    await h.engine.syncNow()
    h.database.exec("replace into kv values ('a', 'w'); replace into kv values ('d', 'v')")
    await h.expectEqual('kv')
  })

  it('should follow cascades', async () => {
    const h = await open(
      `create table p(id integer primary key);
       create table c(id integer primary key,
         p int references p(id) on delete cascade on update cascade)`,
      'p',
      'c',
    )
    h.database.pragma('foreign_keys = on')
    h.database.exec(
      'insert into p values (1), (2), (3); insert into c values (1, 1), (2, 1), (3, 2)',
    )
    await h.engine.syncNow()
    h.database.exec('delete from p where id = 1; update p set id = 22 where id = 2')
    await h.expectEqual('p', 'c')
    expect(h.sqliteRows('c')).toHaveLength(1)
  })

  it('should follow DELETE without WHERE', async () => {
    const h = await open('create table t(id integer primary key, a)', 't')
    h.database.exec('insert into t values (1, 1), (2, 2)')
    await h.engine.syncNow()
    h.database.exec('delete from t')
    await h.expectEqual('t')
    h.database.exec('insert into t values (1, 5)')
    await h.expectEqual('t')
  })

  it('should mirror every kind of key', async () => {
    const h = await open(
      `create table none(a, b);
       create table textual(k text primary key, v int);
       create table pair(a int, b text, v int, primary key (a, b));
       create table wr(a text, b int, v real, primary key (b, a)) without rowid;
       create table strict_t(id integer primary key, a int, b text, c real, d blob, e any) strict;
       create table gen(id integer primary key, a int, b int as (a * 2) stored, c int as (a + 1) virtual);
       create table oid_t(oid text, v int)`,
      'none',
      'textual',
      'pair',
      'wr',
      'strict_t',
      'gen',
      'oid_t',
    )
    h.database.exec(`
      insert into none values (1, 'x'), (1, 'x'), (null, null);
      insert into textual values ('a', 1), ('b', 2);
      insert into pair values (1, 'a', 1), (1, 'b', 2), (2, 'a', 3);
      insert into wr values ('x', 1, 1.5), ('y', 1, 2.5), ('x', 2, null);
      insert into strict_t values (1, 1, 'a', 1.5, x'00ff', 'any');
      insert into gen(id, a) values (1, 10), (2, 20);
      insert into oid_t values ('a', 1), ('b', 2)`)
    await h.engine.syncNow()
    h.database.exec(`
      delete from none where rowid = 1; update none set b = 'y' where a = 1;
      update textual set k = 'c' where k = 'a';
      update pair set b = 'z' where v = 2; delete from pair where v = 3;
      update wr set a = 'q', v = 9.5 where b = 2; delete from wr where a = 'y';
      replace into wr values ('x', 1, 7.25);
      update strict_t set b = 'bb'; update gen set a = a + 5;
      update oid_t set oid = 'zz' where v = 2`)
    await h.expectEqual('none', 'textual', 'pair', 'wr', 'strict_t', 'gen', 'oid_t')
  })

  it('should refuse what it cannot follow, with a reason', async () => {
    const h = await open(
      `create table hidden(rowid text, _rowid_ text, oid text);
       create view v as select 1 as a;
       create table nc(k text collate nocase primary key) without rowid;
       create virtual table f using fts5(a)`,
      'hidden',
      'v',
      'nc',
      'f',
    )
    for (const name of ['hidden', 'v', 'nc', 'f']) {
      expect(h.state(name)).toBe('refused')
      expect(h.engine.tables.find(name)?.reason).toBeTruthy()
    }
  })

  it('should keep values of every storage class exactly', async () => {
    const h = await open(
      'create table t(id integer primary key, i int, r real, s text, b blob)',
      't',
    )
    const insert = h.database.prepare('insert into t(i, r, s, b) values (?, ?, ?, ?)')
    const big = 2n ** 63n - 1n
    const rows: unknown[][] = [
      [0n, 0, '', Buffer.alloc(0)],
      [-1n, -0.0, 'a', Buffer.from([0])],
      [big, 1e308, 'twelve bytes', Buffer.from([0, 255, 0])],
      [-big - 1n, 5e-324, 'thirteen byte', Buffer.alloc(13, 7)],
      [2n ** 53n + 1n, 0.1, 'žluťoučký kůň', Buffer.alloc(100_000, 1)],
      [null, Number.POSITIVE_INFINITY, 'x'.repeat(100_000), null],
      [1n, null, null, Buffer.from('text')],
      [1n, 1.5, '\u{1f600}'.repeat(4), Buffer.alloc(12, 9)],
      [1n, 1.5, 'a\u0000b', null],
    ]
    for (const row of rows) {
      insert.run(...row)
    }
    h.database.defaultSafeIntegers(false)
    await h.expectEqual('t')
  })

  it('should widen a column whose values turn out to be of another class', async () => {
    const h = await open('create table t(id integer primary key, a int, d date)', 't')
    h.database.exec("insert into t values (1, 1, '2024-01-01'), (2, 2, '2024-01-02')")
    await h.engine.syncNow()
    h.database.exec('insert into t values (3, 2.5, 5)')
    await h.engine.syncNow()
    expect(h.engine.tables.find('t')?.live?.misfits).toContain('a')
    await h.widened('t')
    await h.engine.syncNow()
    expect(h.engine.tables.find('t')?.live?.misfits).toEqual(['d'])
    const [a] = (await h.mirrorRows('t')) as string[]
    expect(a).toContain('["a",1]')
  })

  it('should change nothing that a write reports', async () => {
    const h = await open('create table t(id integer primary key, a int unique)', 't')
    const insert = h.database.prepare('insert into t(a) values (?)')
    expect(insert.run(5)).toEqual({ changes: 1, lastInsertRowid: 1 })
    expect(insert.run(6)).toEqual({ changes: 1, lastInsertRowid: 2 })
    expect(h.database.prepare('update t set a = a + 10').run()).toEqual({
      changes: 2,
      lastInsertRowid: 2,
    })
    expect(h.database.prepare('insert into t(a) values (99) returning id, a').all()).toEqual([
      { id: 3, a: 99 },
    ])
    expect(h.database.prepare('select changes() as n, last_insert_rowid() as r').get()).toEqual({
      n: 1,
      r: 3,
    })
    expect(h.database.prepare('insert or ignore into t(a) values (99)').run().changes).toBe(0)
    await h.expectEqual('t')
  })

  it('should let the schema change as if nobody watched', async () => {
    const h = await open('create table t(id integer primary key, a int, b text, c int)', 't')
    h.database.exec("insert into t values (1, 1, 'x', 5), (2, 2, 'y', 6)")
    await h.engine.syncNow()
    const steps = [
      'alter table t drop column c',
      'alter table t add column d text default (7)',
      'alter table t rename column b to bb',
      'create index t_a on t(a)',
      'drop index t_a',
      'alter table t rename to u; alter table u rename to t',
      `create table n(id integer primary key, a text, bb text, d text);
       insert into n select * from t; drop table t; alter table n rename to t`,
      'vacuum',
    ]
    for (const step of steps) {
      h.database.exec(step)
      await h.engine.checkSchema()
      await h.mirror('t')
      h.database.exec('update t set a = a + 1 where id = 1')
      await h.expectEqual('t')
    }
  })
})

describe('capture of other connections (file)', () => {
  it('should follow a connection that knows nothing of us', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key, k text unique, n int)')
    await h.mirror('t')
    const other = new Database(h.path)
    other.exec("insert into t values (1, 'a', 1), (2, 'b', 2)")
    await h.expectEqual('t')
    other.exec("insert or replace into t values (5, 'a', 9)")
    await h.expectEqual('t')
    other.exec('alter table t add column x int default 4')
    other.close()
    await h.engine.checkSchema()
    await h.mirror('t')
    await h.expectEqual('t')
  })

  it('should notice a commit of another connection without being told', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key)')
    await h.mirror('t')
    const before = h.engine.position
    h.database.exec('insert into t values (1)')
    const deadline = Date.now() + 5000
    while (h.engine.position === before && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(h.engine.position).toBe(before + 1)
  })

  it('should see nothing of a transaction before it commits', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key)')
    await h.mirror('t')
    h.database.exec('begin; insert into t values (1)')
    await h.engine.syncNow()
    expect(await h.mirrorRows('t')).toHaveLength(0)
    h.database.exec('rollback; insert into t values (2)')
    await h.expectEqual('t')
  })

  it('should go on where it stopped after a restart', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key, a int); insert into t values (1, 1)')
    await h.mirror('t')
    await h.engine.close()
    h.database.exec('insert into t values (2, 2); update t set a = 5 where id = 1')
    await h.start()
    await h.engine.syncNow()
    expect(h.state('t')).toBe('live')
    await h.expectEqual('t')
    await h.restart()
    await h.expectEqual('t')
  })

  it('should begin anew when the database was replaced by another one', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key, a int); insert into t values (1, 1)')
    await h.mirror('t')
    await h.engine.close()
    h.database.exec("update _htap_meta set value = 'another life' where key = 'epoch'")
    await h.start()
    await h.engine.syncNow()
    await h.mirror('t')
    await h.expectEqual('t')
  })

  it('should prune what every consumer has read, and never the newest row', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key, a int)')
    await h.mirror('t')
    h.database.exec(
      `insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 30000)
       select v, v from s`,
    )
    await h.engine.syncNow()
    const count = () => h.database.prepare('select count(*) from _htap_log').pluck().get() as number
    const deadline = Date.now() + 10_000
    while (count() > 1 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(count()).toBe(1)
    h.database
      .prepare('insert into _htap_consumer values (?, ?, ?)')
      .run('another process', 30_000, Date.now())
    h.database.exec('update t set a = a + 1 where id <= 20000')
    await h.engine.syncNow()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    // The newest row of before stays: it is where this consumer stood.
    expect(count()).toBe(20_001)
    await h.expectEqual('t')
  })

  it('should copy a large table while it is being written', async () => {
    const h = await SyncHarness.open('file')
    h.database.exec('create table t(id integer primary key, a int, s text, k text unique)')
    h.database.exec(
      `insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 200000)
       select v, v % 97, 'text number ' || v, 'key ' || v from s`,
    )
    h.engine.requestCopy('t')
    let writes = 0
    const update = h.database.prepare('update t set a = a + 1 where id = ?')
    const insert = h.database.prepare("insert into t(a, s, k) values (1, 'new', ?)")
    const remove = h.database.prepare('delete from t where id = ?')
    const replace = h.database.prepare(
      "insert or replace into t(id, a, s, k) values (?, 1, 'new', ?)",
    )
    while (h.state('t') === 'copying') {
      writes++
      update.run(1 + ((writes * 7919) % 200_000))
      insert.run(`new ${writes}`)
      remove.run(1 + ((writes * 104_729) % 200_000))
      replace.run(1_000_000 + writes, `key ${1 + ((writes * 31) % 200_000)}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(h.state('t')).toBe('live')
    expect(writes).toBeGreaterThan(10)
    await h.expectEqual('t')
  })
})
