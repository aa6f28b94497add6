import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { expect } from 'vitest'
import { MirroredApp } from '../../support/mirrored-app.js'
import { type Step, tablesOf } from './random-change.js'

const firstTables = `
  create table t0(id integer primary key, a integer, b text, c real);
  insert into t0 with recursive s(v) as (select 1 union all select v + 1 from s where v < 400)
    select v, v % 7, 'text ' || (v % 5), v / 4.0 from s;
  create table t1(a integer, b text);
  insert into t1 select id, b from t0 where id % 3 <> 0`

export interface ScriptResult {
  readonly steps: readonly Step[]
  /** What went wrong; null if nothing did. */
  readonly failure: string | null
  readonly routed: number
}

/**
 * Runs steps on an application whose copies are live. Each answer must be that of a stock connection
 * before the step or after it; in the end the copies must be equal.
 *
 * @param next null at the end
 */
export async function runScript(
  next: (database: Database.Database) => Step | null,
): Promise<ScriptResult> {
  const app = await MirroredApp.open(firstTables)
  const other = new Database(app.path)
  const steps: Step[] = []
  let failure: string | null = null
  try {
    await app.expectSame(queriesOf(other), 'at the beginning')
    for (let step = next(other); step !== null; step = next(other)) {
      steps.push(step)
      await runStep(app, other, step)
      await app.expectSame(queriesOf(other), step.sql)
    }
    expect(await app.verify()).toMatchObject({ equal: true })
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  const { routed } = app
  other.close()
  await app.stop()
  return { steps, failure, routed }
}

async function runStep(app: MirroredApp, other: Database.Database, step: Step): Promise<void> {
  const run = () =>
    step.maker === 'kysely' ? runByKysely(app, step.sql) : execute(other, step.sql)
  // Of the statements of Kysely, queries see those in between as well.
  const isOne = step.maker === 'other' || !step.sql.includes(';')
  if (step.isBeside && isOne) {
    await app.changeBeside(queriesOf(other), step.sql, run)
  } else {
    await run()
  }
}

/** Statements may fail; what counts is that the copies follow what was not. */
function execute(database: Database.Database, text: string): void {
  try {
    database.exec(text)
  } catch (error) {
    expect(String(error)).not.toMatch(/busy|locked|_htap|malformed/)
    if (database.inTransaction) {
      database.exec('rollback')
    }
  }
}

async function runByKysely(app: MirroredApp, text: string): Promise<void> {
  await app.db.connection().execute(async (db) => {
    try {
      for (const statement of text.includes('create trigger') ? [text] : text.split(';')) {
        await sql.raw(statement).execute(db)
      }
    } catch (error) {
      expect(String(error)).not.toMatch(/busy|locked|_htap|malformed/)
      if (app.database.inTransaction) {
        await sql`rollback`.execute(db)
      }
    }
  })
}

function queriesOf(database: Database.Database): string[] {
  const tables = tablesOf(database)
  const stars = tables.map(
    (name) => `select *, count(*) over () as n_rows from ${name} order by 1, 2`,
  )
  const counts = tables.map((name) => `select count(*) as n from ${name}`)
  const joined = tables.length < 2 ? [] : [`select count(*) as n from ${tables[0]}, ${tables[1]}`]
  return [...stars, ...counts, ...joined, 'select n, count(*) as k from v group by n']
}
