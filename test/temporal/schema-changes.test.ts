import type { Database } from 'better-sqlite3'
import { expect, it } from 'vitest'
import { randomStep, type Step, tablesOf } from '../schema/random/random-change.js'
import { shrinkScript } from '../schema/random/shrink-script.js'
import { repetitions } from '../support/deep.js'
import { Random } from '../translate/random/random.js'
import { type Frozen, PastApp } from './past-app.js'

// Random writes and schema changes, of the application and of another connection, a frozen copy of the
// database now and then, and queries that must have the same answer in the past as in the copies.
// HTAP_PAST_SCRIPTS sets how many scripts are run, HTAP_SEED repeats a run.
const scripts = repetitions('HTAP_PAST_SCRIPTS', 3)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
const stepsPerScript = 40

/** Queries over everything that the copy has. */
function* queriesOf({ database }: Frozen): Generator<string> {
  const tables = tablesOf(database)
  for (const table of tables) {
    const columns = database.prepare(`pragma table_xinfo(${table})`).all() as { name: string }[]
    const [first, second = first] = columns.map(({ name }) => `"${name}"`)
    yield `select * from ${table}`
    yield `select ${first}, count(*) as n, count(${second}) as m, min(${second}) as least
      from ${table} group by ${first} order by ${first}, n`
    yield `select a.*, (select count(*) from ${tables[0]} b) as n from ${table} a order by 1, 2`
  }
  const views = database.prepare("select name from sqlite_schema where type = 'view'").pluck().all()
  for (const view of views) {
    yield `select * from ${view}`
  }
}

/** A step, and whether the database is frozen after it. */
interface PastStep extends Step {
  readonly isMoment: boolean
}

interface Run {
  readonly steps: readonly PastStep[]
  readonly failure: string | null
  readonly compared: number
}

/** @param next the next step, made from what the database holds now; null at the end */
async function runScript(next: (database: Database) => PastStep | null): Promise<Run> {
  const app = await PastApp.open((database) => {
    database.exec('create table t0(id integer primary key, a integer, b text)')
  })
  const other = app.open()
  const steps: PastStep[] = []
  const copies: Frozen[] = []
  let failure: string | null = null
  for (let step = next(app.database); step !== null; step = next(app.database)) {
    steps.push(step)
    const { maker, sql } = step
    try {
      await (maker === 'kysely' ? app.run(...statementsOf(sql)) : other.exec(sql))
    } catch {
      // As SQLite says; a transaction that it left open ends here.
      await app.run('rollback').catch(() => undefined)
      if (other.inTransaction) {
        other.exec('rollback')
      }
    }
    if (step.isMoment) {
      const copy = await app.freeze().catch((error: Error) => {
        failure ??= `no moment after ${sql}: ${error.stack}`
      })
      copies.push(...(copy === undefined ? [] : [copy]))
    }
  }
  other.close()
  let compared = 0
  for (const copy of copies) {
    for (const sql of queriesOf(copy)) {
      compared++
      failure ??= await app.difference(copy, sql)
    }
    copy.database.close()
  }
  await app.stop()
  return { steps, failure, compared }
}

async function runRandom(seed: number): Promise<Run> {
  const random = new Random(seed)
  let left = stepsPerScript
  return await runScript((database) => {
    if (left-- === 0) {
      return null
    }
    for (;;) {
      const step = randomStep(random, database)
      // The log that is emptied by hand has no history to tell.
      if (!step.sql.includes('_htap_log')) {
        return { ...step, isMoment: random.chance(0.4) }
      }
    }
  })
}

function replay(steps: readonly PastStep[]): Promise<Run> {
  let at = 0
  return runScript(() => steps[at++] ?? null)
}

/** Triggers have statements inside. */
function statementsOf(sql: string): string[] {
  return sql.startsWith('create trigger') ? [sql] : sql.split(';').filter((it) => it.trim() !== '')
}

it(`the past is what frozen copies say through ${scripts} scripts of schema changes (seed ${seed})`, {
  timeout: 36_000_000,
}, async () => {
  let compared = 0
  for (let script = 0; script < scripts; script++) {
    const run = await runRandom(seed + script)
    compared += run.compared
    if (run.failure !== null) {
      const shortest = await shrinkScript(run.steps, async (steps) => {
        return (await replay(steps)).failure !== null
      })
      const { failure } = await replay(shortest)
      const report = { seed: seed + script, steps: shortest, failure: failure ?? run.failure }
      expect.fail(JSON.stringify(report, null, 1))
    }
  }
  expect(compared).toBeGreaterThan(scripts * 20)
})

type ShortStep = readonly [maker: PastStep['maker'], sql: string, isMoment?: 'moment']

const made = 'create table t0(a integer, b text, c, primary key (a, b))'
const rebuilt = `begin; create table made(a, b, c); insert into made select * from t2; drop table t2;
  alter table made rename to t2; commit`

/** Each was once found by the random scripts. */
const found: Readonly<Record<string, readonly ShortStep[]>> = {
  'a key that is renamed while changes wait': [
    ['other', 'create table t1(id text primary key, a integer) without rowid'],
    ['other', 'create unique index i3 on t1(a)', 'moment'],
    ['other', "insert into t1 values ('x', 1), ('y', 2)"],
    ['kysely', 'alter table t1 rename column id to x6', 'moment'],
  ],
  'a table that the same statement makes again, after a column was renamed': [
    ['kysely', 'drop table t0'],
    ['other', made, 'moment'],
    ['kysely', "insert into t0 values (0.25, 'w', 1)", 'moment'],
    ['kysely', 'alter table t0 rename column a to x1', 'moment'],
    ['kysely', 'alter table t0 rename to t1'],
    ['kysely', made, 'moment'],
  ],
  'VACUUM of a table without a key': [
    ['other', "create table t1(a); insert into t1 values ('x'), ('y'), ('z')", 'moment'],
    ['other', "delete from t1 where a = 'x'"],
    ['other', 'vacuum', 'moment'],
    ['kysely', "insert into t1 values ('w')", 'moment'],
    ['kysely', "update t1 set a = 'u' where a = 'y'", 'moment'],
  ],
  'a table that takes the place of another, with another key': [
    ['kysely', 'create table t2(a, b, c, primary key (b, a)) without rowid', 'moment'],
    ['kysely', rebuilt],
    ['other', rebuilt],
    ['kysely', 'insert into t0(id) values (1)', 'moment'],
  ],
}

it.each(Object.entries(found))('the past is right after %s', async (_, script) => {
  const steps = script.map(([maker, sql, moment]) => ({
    maker,
    sql,
    isBeside: false,
    isMoment: moment !== undefined,
  }))
  expect((await replay(steps)).failure).toBe(null)
})
