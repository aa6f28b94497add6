import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { htap } from '../../dist/dialect/index.js'
import { failing, migrations } from '../children/migrations.mjs'
import { Child } from '../support/child.js'
import { createMigrator } from '../support/migrator.js'
import { MirroredApp } from '../support/mirrored-app.js'

const setup = `
  create table t(id integer primary key, a integer, b text, c real);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, v % 7, 'text ' || (v % 5), v / 4.0 from s;
  create table u(id integer primary key, t_id integer, n integer);
  insert into u with recursive s(v) as (select 1 union all select v + 1 from s where v < 300)
    select v, 1 + v % 40, v from s`

const queries = [
  'select *, count(*) over () as rows_total from t order by id',
  'select *, count(*) over () as rows_total from u order by id',
  'select t.a, count(*) as n from t join u on u.t_id = t.id group by t.a order by t.a',
]

async function openMirrored(): Promise<MirroredApp> {
  const app = await MirroredApp.open(setup)
  await app.untilRouted(queries[0]!)
  await app.untilRouted(queries[1]!)
  return app
}

async function expectMigrated(app: MirroredApp): Promise<void> {
  const audited = 'select count(*) as n, sum(t_id) as s from audit'
  await app.expectSame([...queries, audited], 'after the migration')
  for (const text of [queries[0]!, queries[1]!, audited]) {
    await app.untilRouted(text)
  }
  await app.db.deleteFrom('t').where('id', '=', 3).execute()
  await app.expectSame([...queries, audited], 'after a change')
  await app.expectEqual('audit', 't', 'u')
  expect(await htap(app.db).status()).toMatchObject({ state: 'ready' })
}

it("follows migrations by Kysely's migrator on this instance", async () => {
  const app = await openMirrored()
  const migrator = await createMigrator({
    db: app.db,
    provider: { getMigrations: async () => migrations },
  })
  let isOver = false
  const migrating = migrator.migrateToLatest().finally(() => {
    isOver = true
  })
  while (!isOver) {
    // Reads beside a migration see what was committed before it.
    expect(typeof (await app.ask(queries[0]!))).toBe('object')
  }
  expect((await migrating).error).toBeUndefined()
  await expectMigrated(app)
})

it('follows migrations by another process', async () => {
  const app = await openMirrored()
  const provider = fileURLToPath(new URL('../children/migrations.mjs', import.meta.url))
  const child = new Child('migrate.mjs', [app.path, provider])
  let isOver = false
  const ended = child.ended().finally(() => {
    isOver = true
  })
  while (!isOver) {
    const before = await app.askStock(queries[0]!)
    const given = await app.ask(queries[0]!)
    if (JSON.stringify(before) === JSON.stringify(await app.askStock(queries[0]!))) {
      expect(given).toEqual(before)
    }
  }
  expect((await ended).code, child.errors).toBe(0)
  await expectMigrated(app)
})

it('finds nothing left of a migration in a transaction that failed', async () => {
  const app = await openMirrored()
  const provider = { getMigrations: async () => migrations }
  expect(
    await (await createMigrator({ db: app.db, provider })).migrateToLatest(),
  ).not.toHaveProperty('error')
  await app.expectSame(queries, 'before')
  const failed = app.db
    .transaction()
    .execute((trx) => failing.up(trx))
    .catch((error: unknown) => String(error))
  await app.expectSame(queries, 'meanwhile')
  expect(await failed).toContain('as it should')
  await expectMigrated(app)
})
