import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { copyDatabase } from '../support/files.js'
import { MirroredApp } from '../support/mirrored-app.js'

// The database goes back in time, or becomes another one, while the mirror keeps what it had. The
// mirror has to notice whatever the numbers look like, and to be made anew.

const setup = `
  create table t(id integer primary key, a integer, b text);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5) from s;
  create table bare(a integer, b text);
  insert into bare select id, b from t; delete from bare where a % 3 = 0`

const queries = [
  'select *, count(*) over () as n from t order by id',
  'select sum(a) as a, count(*) as n from t',
  'select *, count(*) over () as n from bare order by a',
]

/** An application whose mirror is live, closed again. */
async function openMirrored(): Promise<MirroredApp> {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[2]!)
  await app.expectEqual('bare', 't')
  return app
}

async function expectRight(app: MirroredApp): Promise<void> {
  await app.expectSame(queries, 'after the start')
  await app.untilRouted(queries[0]!)
  await app.expectSame(queries, 'from DuckDB')
  app.database.exec('update t set a = a + 1 where id < 50; update bare set b = b where a % 2 = 0')
  await app.expectSame(queries, 'after a change')
  await app.expectEqual('bare', 't')
  await app.expectHealthy()
}

function edit(path: string, statements: string): void {
  const database = new Database(path)
  database.exec(statements)
  database.close()
}

const headOf = (database: Database.Database) =>
  database.prepare('select max(seq) from _htap_log').pluck().get() as number

describe('while the application is closed', () => {
  it('an older backup takes the place of the database', async () => {
    const app = await openMirrored()
    await app.database.backup(`${app.path}.backup`)
    app.database.exec('update t set a = a + 100; delete from bare where a > 200')
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(`${app.path}.backup`, app.path)
    app.start()
    await expectRight(app)
  })

  it('an older backup goes on beyond the position of the mirror', async () => {
    const app = await openMirrored()
    await app.database.backup(`${app.path}.backup`)
    app.database.exec('update t set a = a + 100 where id < 20')
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(`${app.path}.backup`, app.path)
    edit(app.path, 'update t set a = a + 1000 where id between 100 and 200')
    app.start()
    await expectRight(app)
  })

  it.each([
    ['before the position', 'update t set a = -1 where id = 5'],
    ['up to the very position, by changes of the same rows', 'update t set a = -2 where id < 31'],
    ['beyond the position', 'update t set a = -3 where id < 100'],
  ])('the last commits are lost, and new ones come, %s', async (_, news) => {
    const app = await openMirrored()
    copyDatabase(app.path, `${app.path}.durable`)
    app.database.exec('update t set a = a + 100 where id < 31')
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(`${app.path}.durable`, app.path)
    edit(app.path, news)
    app.start()
    await expectRight(app)
  })

  it('the commit that captured a table is lost, and the table is captured again', async () => {
    const app = await MirroredApp.open(setup)
    await app.untilRouted(queries[0]!)
    await app.expectEqual('t')
    copyDatabase(app.path, `${app.path}.durable`)
    app.database.exec("insert into bare values (5000, 'lost')")
    await app.untilRouted(queries[2]!)
    await app.expectEqual('bare', 't')
    await app.stop()
    copyDatabase(`${app.path}.durable`, app.path)
    edit(app.path, "insert into bare values (6000, 'kept')")
    const elsewhere = await MirroredApp.open('', {
      path: app.path,
      config: { olap: { path: ':memory:' } },
    })
    await elsewhere.untilRouted(queries[2]!)
    await elsewhere.stop()
    app.start()
    await expectRight(app)
  })

  it('another database takes the place', async () => {
    const app = await openMirrored()
    await app.stop()
    copyDatabase(`${app.path}.none`, app.path)
    edit(app.path, `${setup}; update t set a = a * 2`)
    app.start()
    await expectRight(app)
  })

  it('another database of this package, at the same position, takes the place', async () => {
    const [app, other] = [await openMirrored(), await openMirrored()]
    other.database.exec('update t set a = a * 2 where id < 9')
    app.database.exec('update t set a = a * 3 where id < 9')
    await Promise.all([app.expectEqual('bare', 't'), other.expectEqual('bare', 't')])
    expect(headOf(other.database)).toBe(headOf(app.database))
    await Promise.all([app.stop(), other.stop()])
    copyDatabase(other.path, app.path)
    app.start()
    await expectRight(app)
  })

  it('the log is emptied and filled again up to the same position', async () => {
    const app = await openMirrored()
    app.database.exec('update t set a = a + 1 where id < 31')
    await app.expectEqual('bare', 't')
    const head = headOf(app.database)
    await app.stop()
    edit(app.path, 'delete from _htap_log; update t set a = a + 10')
    edit(app.path, `delete from _htap_log where seq > ${head}`)
    app.start()
    await expectRight(app)
  })

  it('the log is emptied and the numbers of SQLite are reset', async () => {
    const app = await openMirrored()
    app.database.exec(`
      create table counted(id integer primary key autoincrement, a);
      insert into counted(a) values (1), (2), (3)`)
    const counted = 'select *, count(*) over () as n from counted order by id'
    await app.untilRouted(counted)
    await app.stop()
    edit(
      app.path,
      `delete from counted; delete from sqlite_sequence; delete from _htap_log;
       insert into counted(a) values (7), (8), (9)`,
    )
    app.start()
    await app.expectSame([counted], 'after the start')
    await app.untilRouted(counted)
    await app.expectSame([counted, ...queries], 'from DuckDB')
    await app.expectEqual('bare', 'counted', 't')
  })

  it('a dump is loaded into a new file, which numbers the rows anew', async () => {
    const app = await openMirrored()
    await app.stop()
    load(app.path, `${app.path}.dump`)
    copyDatabase(`${app.path}.dump`, app.path)
    app.start()
    await expectRight(app)
  })

  it('VACUUM numbers rows anew, and the number of the schema is set back', async () => {
    const app = await openMirrored()
    await app.stop()
    const database = new Database(app.path)
    const version = database.pragma('schema_version', { simple: true })
    database.exec('vacuum')
    database.pragma(`schema_version = ${version}`)
    database.close()
    app.start()
    await expectRight(app)
  })

  it('a table is dropped, created as before and captured by another mirror', async () => {
    const app = await openMirrored()
    await app.stop()
    edit(
      app.path,
      `drop table t; create table t(id integer primary key, a integer, b text);
       insert into t values (1, 1, 'one'), (2, 2, 'two')`,
    )
    const elsewhere = await MirroredApp.open('', {
      path: app.path,
      config: { olap: { path: ':memory:' } },
    })
    await elsewhere.untilRouted(queries[0]!)
    await elsewhere.stop()
    app.start()
    await expectRight(app)
  })
})

/** Loads a database into a new file as the `.dump` of the sqlite3 shell does. */
function load(from: string, to: string): void {
  const database = new Database(to)
  database.pragma('journal_mode = wal')
  database.prepare('attach ? as source').run(from)
  const entries = database
    .prepare(
      "select type, name, sql from source.sqlite_schema where sql is not null order by type = 'trigger'",
    )
    .all() as { type: string; name: string; sql: string }[]
  for (const { type, name, sql } of entries.filter((it) => it.type !== 'trigger')) {
    database.exec(sql)
    if (type === 'table') {
      database.exec(`insert into main."${name}" select * from source."${name}"`)
    }
  }
  for (const { sql } of entries.filter((it) => it.type === 'trigger')) {
    database.exec(sql)
  }
  database.exec('detach source')
  database.close()
}
