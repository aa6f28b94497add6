import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'
import { compiledCorpus } from './corpus/compiled-corpus.mjs'
import { isAnalytic } from './corpus/is-analytic.mjs'
import { findDifference } from './find-difference.mjs'

const copyWaitMaxMs = 60_000
const pollMs = 10

/**
 * Runs every query of a corpus through the stock dialect and through this one, which ignores cost
 * and so sends to DuckDB whatever may go there.
 */
export async function runCorpus(corpus, { folder, rows, isAnalyzed }) {
  const path = join(folder, `${corpus.name}.db`)
  const { tables, queries } = compiledCorpus(corpus, path, { rows, isAnalyzed })
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
    const results = []
    for (const [index, { name, sql }] of queries.entries()) {
      const { isEmpty, difference } = await compare(corpus.queries[index].build, stock, db)
      // A query that fails before it is routed must not pass for the one before it.
      const { engine = null, reason = 'not routed' } = routes.splice(0).at(-1) ?? {}
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
  return lastError instanceof Error
    ? lastError.message.split('\n')[0].replace(/^the column store failed: /, '')
    : 'no error is known'
}
