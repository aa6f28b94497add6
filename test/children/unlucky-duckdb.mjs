// Writes into a file of DuckDB as others did whose files could not be opened again, and is killed.
import { DuckDBInstance } from '@duckdb/node-api'

const [path, name] = process.argv.slice(2)
const connection = await (await DuckDBInstance.create(path)).connect()
const run = (sql) => connection.run(sql)
const fill = (table, rows) =>
  run(`insert into ${table} select i, 'k' || i from range(${rows}) r(i)`)

const cases = {
  'a unique index (duckdb 18732)': async () => {
    await run('create table a(id bigint, k varchar); create unique index ak on a(k)')
    await fill('a', 200)
    await run('delete from a where id < 100')
    await fill('a', 100)
  },
  'an index that was dropped (duckdb 22044)': async () => {
    await run('create table a(id bigint, k varchar); create index ak on a(k)')
    await fill('a', 5000)
    await run('checkpoint')
    await fill('a', 100)
    await run("drop index ak; insert into a values (1, 'x')")
  },
  'a column that was added (duckdb 18259)': async () => {
    await run('create table a(id bigint primary key, k varchar)')
    await fill('a', 5000)
    await run('checkpoint; alter table a add column z integer default 7')
    await run('update a set z = 8 where id < 100; delete from a where id < 50')
  },
  'a column that was added beside rows, in one transaction (duckdb 19712)': async () => {
    await run('create table a(id bigint, k varchar)')
    await fill('a', 5000)
    await run('begin; alter table a add column z integer')
    await run("insert into a values (1, 'x', 2); update a set z = 3; commit")
  },
  'a column that was changed and dropped (duckdb 20543)': async () => {
    await run('create table a(id bigint, k varchar)')
    await fill('a', 5000)
    await run('alter table a alter k set not null; alter table a alter id type varchar')
    await run('alter table a rename k to kk; alter table a drop kk')
  },
  'a schema change, deletes and a new index (duckdb 25395)': async () => {
    await run('create table a(id bigint, k varchar)')
    await fill('a', 5000)
    await run('checkpoint; alter table a add column z integer; delete from a where id % 2 = 0')
    await run('create index az on a(id); delete from a where id < 1000')
  },
  'a primary key and a new name, in one transaction (duckdb 25510)': async () => {
    await run('begin; create table a_new(id bigint primary key, k varchar)')
    await fill('a_new', 5000)
    await run("alter table a_new rename to a; commit; insert into a values (10000, 'x')")
  },
  'an index under upserts (duckdb 23645)': async () => {
    await run('create table a(id bigint primary key, k varchar, n bigint)')
    for (let round = 0; round < 40; round++) {
      await run(`insert into a select (i * 7919 + ${round}) % 500, 'k' || i, ${round}
        from range(300) g(i) on conflict do update set n = excluded.n, k = excluded.k`)
      if (round === 20) await run('checkpoint')
    }
  },
}

if (name === undefined) {
  console.log(JSON.stringify(Object.keys(cases)))
} else {
  await cases[name]()
  process.kill(process.pid, 'SIGKILL')
}
