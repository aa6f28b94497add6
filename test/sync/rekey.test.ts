import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { SyncHarness } from '../support/sync-harness.js'

it('follows every way of setting a key', async () => {
  const h = await SyncHarness.open()
  h.database.exec(`
    create table named(id integer primary key, n);
    insert into named values (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6);
    create table bare(n);
    insert into bare values (1), (2), (3), (4);
    create table mock(oid text, n);
    insert into mock values ('a', 1), ('b', 2), ('c', 3);
    create table pair(x text, y int, v, primary key (y, x)) without rowid;
    insert into pair values ('a', 1, 1), ('b', 2, 2), ('c', 3, 3);`)
  await h.mirror('named', 'bare', 'mock', 'pair')
  h.database.exec(`
    update named set id = 11 where id = 1; update named set ROWID = 12 where id = 2;
    update named set _rowid_ = 13 where id = 3; update named set oid = 14 where id = 4;
    update named set n = 0, "ID" = 15 where id = 5;
    insert into named values (6, 0) on conflict (id) do update set id = 16, n = 16;
    update or replace named set id = 11 where id = 12;
    update bare set rowid = 11 where n = 1; update bare set _rowid_ = 12 where n = 2;
    update bare set oid = 13 where n = 3;
    update mock set rowid = 11 where n = 1; update mock set oid = 'z' where n = 2;
    update pair set x = 'z' where y = 1; update pair set "Y" = 12 where y = 2;`)
  await h.expectEqual('named', 'bare', 'mock', 'pair')
  expect(h.sqliteRows('named')).toHaveLength(5)
  h.database.exec('alter table named rename column id to ident')
  if (dropsMockColumns()) {
    h.database.exec('alter table mock drop column oid')
  }
  await h.engine.checkSchema()
  await h.engine.waitForCopies(['mock', 'named'], 10_000)
  h.database.exec('update mock set rowid = 21 where n = 2; update named set ident = 21 where n = 0')
  await h.expectEqual('named', 'mock')
  expect(h.errors).toEqual([])
})

/** Newer SQLite drops no column that is named like the rowid, with triggers or without. */
function dropsMockColumns(): boolean {
  const database = new Database(':memory:')
  try {
    database.exec('create table mock(oid text, n); alter table mock drop column oid')
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}
