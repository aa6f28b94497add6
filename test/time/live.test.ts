import { existsSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { Child } from '../support/child.js'
import { MirroredApp } from '../support/mirrored-app.js'

// The database goes back in time, or becomes another one, under an application that runs.

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

async function openMirrored(): Promise<MirroredApp> {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[2]!)
  await app.expectEqual('bare', 't')
  return app
}

async function expectRight(app: MirroredApp): Promise<void> {
  await app.expectSame(queries, 'at once')
  app.database.exec('update t set a = a + 1 where id < 50; update bare set b = b where a % 2 = 0')
  await app.expectSame(queries, 'after a change')
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[2]!)
  await app.expectSame(queries, 'from DuckDB')
  await app.expectEqual('bare', 't')
}

/** Restores a backup by another process, while queries run. */
async function restoreBeside(app: MirroredApp, backup: string): Promise<void> {
  const before = await app.askStock(queries[1]!)
  const child = new Child('restore.mjs', [backup, app.path])
  let isOver = false
  const restored = child.ended().finally(() => {
    isOver = true
  })
  const answers: unknown[] = []
  while (!isOver) {
    answers.push(await app.ask(queries[1]!))
  }
  expect((await restored).code, child.errors).toBe(0)
  const after = await app.askStock(queries[1]!)
  for (const answer of answers) {
    expect([before, after]).toContainEqual(answer)
  }
}

describe('while the application runs', () => {
  it('an older backup of it is restored', async () => {
    const app = await openMirrored()
    await app.database.backup(`${app.path}.backup`)
    app.database.exec('update t set a = a + 100; delete from bare where a > 200')
    await app.expectSame(queries, 'before')
    await restoreBeside(app, `${app.path}.backup`)
    await expectRight(app)
  })

  it('an older backup is restored and goes on to the same position before anybody looks', async () => {
    const app = await openMirrored()
    await app.database.backup(`${app.path}.backup`)
    app.database.exec('update t set a = a + 100 where id < 31')
    await app.expectSame(queries, 'before')
    const backup = new Database(`${app.path}.backup`)
    backup.exec('update t set a = -5 where id < 31')
    backup.close()
    await restoreBeside(app, `${app.path}.backup`)
    await expectRight(app)
  })

  it('a backup of another database is restored', async () => {
    const app = await openMirrored()
    const other = new Database(`${app.path}.other`)
    other.exec(`${setup}; update t set a = a * 2`)
    other.close()
    await restoreBeside(app, `${app.path}.other`)
    await expectRight(app)
  })

  it('the log is emptied', async () => {
    const app = await openMirrored()
    app.database.exec('delete from _htap_log; update t set a = a + 3 where id < 9')
    await expectRight(app)
    await app.expectHealthy()
  })

  it('the log is emptied and filled up to the same position before anybody looks', async () => {
    const app = await openMirrored()
    app.database.exec('update t set a = a + 3 where id < 31')
    await app.expectSame(queries, 'before')
    const head = app.database.prepare('select max(seq) from _htap_log').pluck().get()
    app.database.exec(`delete from _htap_log; update t set a = -9 where id < 31;
      insert into _htap_log(seq, tbl) values (${head}, 0)`)
    await expectRight(app)
  })

  it('all tables of this package are dropped, which no write of the application notices', async () => {
    const app = await openMirrored()
    app.database.exec(`
      drop trigger _htap_1_insert; drop trigger _htap_1_update; drop trigger _htap_1_rekey;
      drop trigger _htap_1_delete; drop trigger _htap_2_insert; drop trigger _htap_2_update;
      drop trigger _htap_2_rekey; drop trigger _htap_2_delete;
      drop table _htap_log; drop table _htap_key; drop table _htap_consumer; drop table _htap_meta;
      drop table _htap_table; drop table _htap_rowid_life`)
    await app.db.insertInto('t').values({ a: 5, b: 'after' }).execute()
    await app.expectSame(queries, 'at once')
    await app.db.updateTable('t').set({ a: 6 }).where('id', '<', 50).execute()
    await expectRight(app)
  })

  it.each(['_htap_log', '_htap_meta', '_htap_table', '_htap_consumer', '_htap_rowid_life'])(
    'the table %s is dropped',
    async (table) => {
      const app = await openMirrored()
      app.database.exec(`drop table ${table}`)
      await app.expectSame(queries, 'after the drop')
      await app.untilRouted(queries[0]!)
      await expectRight(app)
    },
  )

  it('all triggers of this package are dropped', async () => {
    const app = await openMirrored()
    const names = app.database
      .prepare("select name from sqlite_schema where type = 'trigger'")
      .pluck()
      .all()
    expect(names).toHaveLength(8)
    app.database.exec(names.map((name) => `drop trigger ${name}`).join('; '))
    app.database.exec('update t set a = -7 where id < 20; delete from bare where a < 9')
    await expectRight(app)
  })

  it('another file takes its name: everything goes on with the file that is open', async () => {
    const app = await openMirrored()
    await app.expectSame(queries, 'before')
    await app.database.backup(`${app.path}.new`)
    const other = new Database(`${app.path}.new`)
    other.exec('update t set a = 1000; delete from bare')
    other.close()
    for (const part of ['-wal', '-shm']) {
      renameSync(`${app.path}${part}`, `${app.path}${part}.old`)
    }
    renameSync(`${app.path}.new`, app.path)
    // Enough to be read by a thread, which opens the file by its name.
    app.database.exec('update t set a = a + 1; insert into bare select id, b from t')
    app.database.exec('update t set a = a + 1; delete from bare where a > 250')
    await app.expectSame(queries, 'afterwards')
    const rows: unknown[] = []
    for await (const row of app.db.selectFrom('t').selectAll().stream()) {
      rows.push(row)
    }
    expect(rows).toEqual(app.database.prepare('select * from t').all())
    const slow = 'select count(*) as n from t x, t y, t z where x.a + y.a < z.a'
    expect(await app.ask(slow)).toEqual(await app.askStock(slow))
    await app.expectEqual('bare', 't')
    await app.stop()
    app.start()
    await app.expectSame(queries, 'with the new file')
    await app.untilRouted(queries[1]!)
    await app.expectSame(queries, 'with the new file, from DuckDB')
  })

  it('its file is removed: everything goes on with the file that is open', async () => {
    const app = await openMirrored()
    await app.expectSame(queries, 'before')
    for (const part of ['', '-wal', '-shm']) {
      rmSync(`${app.path}${part}`)
    }
    app.database.exec('update t set a = a + 1; insert into bare select id, b from t')
    await app.expectSame(queries, 'afterwards')
    await app.expectEqual('bare', 't')
    expect(existsSync(app.path)).toBe(false)
  })
})
