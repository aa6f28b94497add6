import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { MirroredApp } from '../support/mirrored-app.js'

// Every way of changing a schema, with changes in the log that are not applied yet, with queries
// running, and by whom ever it is made. Answers must be a stock connection's at every moment, and
// in the end the copies are equal without a restart.

interface SchemaCase {
  readonly name: string
  readonly setup?: string
  readonly steps: readonly string[]
  /** Must be answered by DuckDB before and after, of the tables in `tables`. */
  readonly queries: readonly string[]
  /** Tables that have a copy in the end. */
  readonly tables: readonly string[]
}

const setup = `
  create table t(id integer primary key, a integer, b text, c real);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5), v / 4.0 from s;
  create table u(id integer primary key, t_id integer, n integer);
  insert into u with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, 1 + v % 40, v from s`

const all = 'select *, count(*) over () as rows_total from t order by id'
const sums = 'select count(*) as n, sum(a) as a, min(b) as b from t'
const joined = 'select t.a, count(*) as n from t join u on u.t_id = t.id group by t.a order by t.a'
const usual = [all, sums, joined]

/** Changes that fill the log: some before a step, some in its transaction, some after it. */
const writes = {
  before: 'update t set a = a + 1 where id % 3 = 0; insert into u(t_id, n) values (2, 7)',
  after: 'update t set a = a + 1 where id % 4 = 0; delete from u where id % 50 = 1',
}

const cases: readonly SchemaCase[] = [
  {
    name: 'a column with a constant default',
    steps: ["alter table t add column d text default 'new'", "update t set d = 'x' where id = 5"],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a column with an expression as default',
    setup: 'create table log(id integer primary key, a)',
    steps: [
      'alter table t add column d integer default (-7)',
      'update t set d = d + 1 where id < 9',
      // SQLite takes a default that is not constant for an empty table only.
      "alter table log add column word text default ('w' || abs(-5))",
      'insert into log(a) values (1), (2)',
    ],
    queries: [...usual, 'select *, count(*) over () as n from log order by id'],
    tables: ['log', 't', 'u'],
  },
  {
    name: 'a column dropped',
    steps: ['alter table t drop column c', 'insert into t(a) values (3)'],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a column with an index dropped',
    setup: 'create unique index t_c on t(c)',
    steps: ['drop index t_c', 'alter table t drop column c', 'insert into t(a) values (3)'],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a column renamed',
    steps: ['alter table t rename column c to cc', 'update t set cc = cc * 2 where id < 20'],
    queries: [...usual, 'select sum(cc) as s from t', 'select sum(c) as s from t'],
    tables: ['t', 'u'],
  },
  {
    name: 'the key renamed',
    steps: [
      'alter table u rename column id to ident',
      'update u set ident = ident + 1000 where ident < 20',
    ],
    queries: [...usual, 'select sum(ident) as s, count(*) as n from u'],
    tables: ['t', 'u'],
  },
  {
    name: 'a table renamed, and renamed back',
    steps: [
      'alter table t rename to old',
      'update old set a = a + 1 where id < 50',
      'alter table old rename to t',
      'update t set a = a + 1 where id < 60',
    ],
    queries: [...usual, 'select count(*) as n, sum(a) as a from old'],
    tables: ['t', 'u'],
  },
  {
    name: 'two tables that change names',
    setup:
      'alter table u rename column t_id to a; alter table u drop column n; alter table t drop column b; alter table t drop column c',
    steps: [
      'alter table t rename to swap; alter table u rename to t; alter table swap rename to u',
      'update t set a = a + 1 where id < 50; delete from u where id > 290',
    ],
    queries: [
      'select *, count(*) over () as rows_total from t order by id',
      'select count(*) as n, sum(a) as a from u',
    ],
    tables: ['t', 'u'],
  },
  {
    name: 'a type changed by rebuilding the table',
    steps: [
      'create table t_new(id integer primary key, a text, b text, c real)',
      'insert into t_new select id, a, b, c from t',
      'drop table t',
      'alter table t_new rename to t',
      "update t set a = 'seven' where id = 7",
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a type changed with foreign keys off, in one transaction',
    setup: `create table kid(id integer primary key, t_id integer references t(id) on delete cascade);
      insert into kid select id, id from t where id < 50`,
    steps: [
      `pragma foreign_keys = off;
       begin;
       create table t_new(id integer primary key, a text, b text, c real);
       insert into t_new select id, a, b, c from t;
       update t set a = 0;
       drop table t;
       alter table t_new rename to t;
       pragma foreign_key_check;
       commit;
       pragma foreign_keys = on`,
      'delete from t where id < 10',
    ],
    queries: [...usual, 'select count(*) as n from kid join t on t.id = kid.t_id'],
    tables: ['kid', 't', 'u'],
  },
  {
    name: 'a rebuild that renames first',
    steps: [
      `begin; alter table t rename to t_old;
       create table t(id integer primary key, a integer, b text, c real, d integer default 1);
       insert into t(id, a, b, c) select id, a, b, c from t_old; drop table t_old; commit`,
      'insert into t(a) values (1)',
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a table dropped and created as before',
    steps: [
      'drop table t',
      'create table t(id integer primary key, a integer, b text, c real)',
      "insert into t values (1, 1, 'one', 1.5), (2, 2, 'two', 2.5)",
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a table dropped and created as before in one transaction',
    steps: [
      `begin; drop table t;
       create table t(id integer primary key, a integer, b text, c real);
       insert into t values (1, 1, 'one', 1.5), (2, 2, 'two', 2.5); commit`,
      'insert into t(a) values (9)',
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a table dropped with cascading keys',
    setup: `create table kid(id integer primary key, t_id integer references t(id) on delete cascade);
      insert into kid select id, id from t where id < 50`,
    steps: ['pragma foreign_keys = on; drop table t; pragma foreign_keys = off'],
    queries: ['select count(*) as n, sum(id) as s from kid', sums, 'select sum(n) as n from u'],
    tables: ['kid', 'u'],
  },
  {
    name: 'indexes created and dropped',
    steps: [
      'create index t_a on t(a)',
      'create unique index t_id_b on t(id, b)',
      'create index t_low on t(lower(b)) where a > 2',
      'drop index t_a',
      "insert or replace into t values (5, 5, 'again', 5)",
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'views created, changed and dropped',
    steps: [
      'create view v as select a, count(*) as n from t group by a',
      'drop view v; create view v as select a, sum(c) as n from t group by a',
      'begin; drop view v; create view v as select a, max(id) as n from t group by a; update t set a = 1 where id = 2; commit',
      'drop view v',
    ],
    queries: [...usual, 'select sum(n) as n, count(*) as k from v'],
    tables: ['t', 'u'],
  },
  {
    name: 'generated columns added and dropped',
    steps: [
      'alter table t add column g integer generated always as (a * 2) virtual',
      'update t set a = a + 1 where id < 30',
      `create table t_new(id integer primary key, a integer, b text, c real, g integer as (a + 1) stored);
       insert into t_new(id, a, b, c) select id, a, b, c from t; drop table t; alter table t_new rename to t`,
      'update t set a = a + 1 where id < 30',
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: "the user's own triggers on the same table",
    steps: [
      `create trigger t_touch after update of a on t begin
         update t set b = 'touched ' || new.a where id = new.id + 1;
         insert into u(t_id, n) values (new.id, new.a);
       end`,
      'update t set a = a + 1 where id in (10, 20, 30)',
      `create trigger t_before before delete on t begin
         delete from u where t_id = old.id;
         update t set b = 'orphan' where id = old.id + 1;
       end`,
      'delete from t where id in (11, 21)',
      `create trigger t_refuse before insert on t when new.a = 666 begin
         select raise(ignore);
       end`,
      'insert into t(a) values (666), (667)',
      'drop trigger t_touch; drop trigger t_before; drop trigger t_refuse',
      'update t set a = 0 where id = 40',
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'a rebuild WITHOUT ROWID and back',
    steps: [
      `create table t_new(id integer, a integer, b text, c real, primary key (b, id)) without rowid;
       insert into t_new select id, a, b, c from t; drop table t; alter table t_new rename to t`,
      "update t set b = 'moved' where id < 20; delete from t where id between 30 and 40",
      `create table t_new(id integer primary key, a integer, b text, c real);
       insert into t_new select id, a, b, c from t; drop table t; alter table t_new rename to t`,
      'update t set a = 5 where id = 3',
    ],
    queries: usual,
    tables: ['t', 'u'],
  },
  {
    name: 'VACUUM',
    setup: `create table bare(a integer, b text);
      insert into bare select id, b from t; delete from bare where a % 3 = 0`,
    steps: [
      'vacuum',
      'update bare set a = a + 1000 where a % 2 = 0; delete from bare where a < 10',
    ],
    queries: [...usual, 'select *, count(*) over () as n from bare order by a'],
    tables: ['bare', 't', 'u'],
  },
  {
    name: 'VACUUM and a change in one go',
    setup: `create table bare(a integer, b text);
      insert into bare select id, b from t; delete from bare where a % 3 = 0`,
    steps: ['vacuum; delete from bare where a < 100; insert into bare values (7, null)'],
    queries: [...usual, 'select *, count(*) over () as n from bare order by a'],
    tables: ['bare', 't', 'u'],
  },
  {
    name: 'schema changes that are rolled back',
    steps: [
      `begin; alter table t add column z integer default 5; update t set a = 100; create view v as select 1 as n;
       drop table u; create table u(x); rollback`,
      "begin; savepoint s; alter table t drop column c; update t set b = 'no'; rollback to s; release s; update t set b = 'yes' where id = 1; commit",
      'alter table t add column y integer default 6; create view v as select 2 as n',
      'drop view v',
    ],
    queries: [...usual, 'select sum(n) as n from v'],
    tables: ['t', 'u'],
  },
]

const makers = ['kysely', 'the same connection', 'another connection', 'another process'] as const

type Maker = (typeof makers)[number]

// Each case by one of them; HTAP_SCHEMA_MAKERS=4 has every case made by each.
const makersOfCase = repetitions('HTAP_SCHEMA_MAKERS', 1)

for (const [index, schemaCase] of cases.entries()) {
  describe(schemaCase.name, () => {
    for (let turn = 0; turn < makersOfCase; turn++) {
      const maker = makers[(index + turn) % makers.length]!
      it(`by ${maker}`, async () => {
        const app = await MirroredApp.open(`${setup}; ${schemaCase.setup ?? ''}`)
        await app.untilRouted(schemaCase.queries[0]!)
        await app.expectSame(schemaCase.queries, 'before')
        if (maker === 'another process') {
          await changeElsewhere(app, schemaCase)
        } else {
          await changeHere(app, schemaCase, maker)
        }
        await app.untilRouted(schemaCase.queries[0]!)
        await app.expectEqual(...schemaCase.tables)
        await app.expectHealthy()
      })
    }
  })
}

async function changeHere(
  app: MirroredApp,
  { steps, queries }: SchemaCase,
  maker: Maker,
): Promise<void> {
  const other = maker === 'another connection' ? new Database(app.path) : app.database
  onTestFinished(() => void other.close())
  const run = (text: string) =>
    maker === 'kysely' ? runByKysely(app, text) : other.exec(text) && undefined
  for (const step of steps) {
    await attempt(() => run(writes.before))
    if (maker === 'kysely' && split(step).length > 1) {
      // Its statements come one by one, and a query may see a state between two of them.
      await run(step)
    } else {
      await app.changeBeside(queries, `during ${step}`, () => run(step))
    }
    await app.expectSame(queries, `after ${step}`)
    await attempt(() => run(writes.after))
    await app.expectSame(queries, `writes after ${step}`)
  }
}

async function changeElsewhere(app: MirroredApp, { steps, queries }: SchemaCase): Promise<void> {
  const statements = steps.flatMap((step) => [writes.before, step, writes.after])
  const child = new Child('statements.mjs', [app.path, JSON.stringify(statements), '15'])
  let line = ''
  let isOver = false
  const following = (async () => {
    while (line !== 'end') {
      line = await child.nextLine()
    }
  })().finally(() => {
    isOver = true
  })
  while (!isOver) {
    for (const text of queries) {
      const before = await app.askStock(text)
      const given = await app.ask(text)
      const after = await app.askStock(text)
      if (JSON.stringify(before) === JSON.stringify(after)) {
        expect({ text, line, rows: given }).toEqual({ text, line, rows: after })
      }
    }
  }
  await following
  await app.expectSame(queries, 'the end')
}

function runByKysely(app: MirroredApp, text: string): Promise<void> {
  return app.db.connection().execute(async (db) => {
    for (const statement of split(text)) {
      await sql.raw(statement).execute(db)
    }
  })
}

/** At the semicolons, except those inside of a trigger. */
function split(text: string): string[] {
  const statements: string[] = []
  let isOpen = false
  for (const part of text.split(';')) {
    const isTrigger: boolean = isOpen || /create trigger/.test(part)
    const last = isOpen ? `${statements.pop()};` : ''
    statements.push(last + part)
    isOpen = isTrigger && !/\bend\s*$/.test(part)
  }
  return statements.filter((statement) => statement.trim() !== '')
}

/** A table that a step has removed takes no writes. */
async function attempt(run: () => Promise<void> | undefined): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!/no such (table|column)|has no column/.test(String(error))) {
      throw error
    }
  }
}
