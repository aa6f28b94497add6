import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'
import { compiledCorpus } from './corpus/compiled-corpus.mjs'
import { isAnalytic } from './corpus/is-analytic.mjs'
import { findDifference } from './find-difference.mjs'
import { createDatabase } from './order-table.mjs'

const copyWaitMaxMs = 60_000
const pollMs = 10

/**
 * Runs every query of a corpus through the stock dialect and through this one, which ignores cost
 * and so sends to DuckDB whatever may go there.
 */
export async function runCorpus(corpus, { folder, rows, isAnalyzed }) {
  const path = join(folder, `${corpus.name}.db`)
  const tables = createCorpus(corpus, path, { rows, isAnalyzed })
  const routes = []
  const stock = new Kysely({ dialect: new SqliteDialect({ database: new Database(path) }) })
  const db = new Kysely({
    dialect: new HtapDialect({
      database: path,
      routing: 'duckdb',
      sync: { tables },
      onRoute: (event) => routes.push(event),
    }),
  })
  try {
    await waitForCopies(db, tables)
    const compiled = new Map(compiledCorpus(corpus).map((it) => [it.name, it]))
    const results = []
    for (const { name, build } of corpus.queries) {
      const { isEmpty, difference } = await compare(build, stock, db)
      const { engine, reason } = routes.at(-1)
      const { sql } = compiled.get(name)
      results.push(
        Object.freeze({
          name,
          sql,
          isAnalytic: isAnalytic(sql),
          engine,
          reason: reason === 'DuckDB refused' ? `${reason}: ${await refusal(db)}` : reason,
          isEmpty,
          difference,
        }),
      )
    }
    return results
  } finally {
    await db.destroy()
    await stock.destroy()
  }
}

/** Gives the names of the tables. */
function createCorpus(corpus, path, { rows, isAnalyzed }) {
  const database = createDatabase(path)
  try {
    corpus.create(database, { rows })
    if (isAnalyzed) {
      database.exec('analyze')
    }
    return database
      .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
      .pluck()
      .all()
  } finally {
    database.close()
  }
}

async function waitForCopies(db, tables) {
  const startMs = performance.now()
  await db.connection().execute(async () => {})
  for (;;) {
    const status = await htap(db).status()
    const live = status.tables.filter((it) => it.state === 'live').map((it) => it.table)
    const missing = tables.filter((table) => !live.includes(table))
    if (missing.length === 0) {
      return
    }
    if (performance.now() - startMs > copyWaitMaxMs) {
      throw new Error(`no copy of ${missing.join(', ')} after ${copyWaitMaxMs} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** An error that only this dialect raises is a difference; one of the stock dialect is our own. */
async function compare(build, stock, db) {
  const expected = await build(stock).execute()
  const isEmpty = expected.every((row) => Object.values(row).every((value) => value === null))
  try {
    const actual = await build(db).execute()
    return { isEmpty, difference: findDifference(actual, expected) }
  } catch (error) {
    return { isEmpty, difference: `an error instead of rows: ${error.message}` }
  }
}

async function refusal(db) {
  const { lastError } = await htap(db).status()
  return lastError instanceof Error ? lastError.message.split('\n')[0] : 'no error is known'
}
