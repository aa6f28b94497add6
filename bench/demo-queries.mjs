import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { HtapDialect } from 'kysely-htap'
import { compareEngines } from '../examples/demo/compare-engines.mjs'
import { readDemoOptions } from '../examples/demo/demo-options.mjs'
import { FirstCopy } from '../examples/demo/first-copy.mjs'
import { prepareFlightDatabase } from '../examples/demo/flight-database.mjs'
import { queries } from '../examples/demo/queries.mjs'
import { atLeast, atMost } from './measure.mjs'

/** The demo's analytic queries over its three million flights, against the stock dialect. */
export async function demoQueries({ quick }) {
  const rows = quick ? ['--rows', '300000'] : []
  const path = await prepareFlightDatabase(readDemoOptions(rows))
  const routes = []
  const stock = new Kysely({ dialect: new SqliteDialect({ database: new Database(path) }) })
  const firstCopy = new FirstCopy()
  const db = new Kysely({
    dialect: new HtapDialect({
      database: path,
      sync: { tables: ['airport', 'flight'], onProgress: firstCopy.onProgress },
      onRoute: (event) => routes.push(event),
    }),
  })
  try {
    await firstCopy.wait(db, ['airport', 'flight'])
    const results = []
    for (const query of queries.filter((it) => it.engine === 'duckdb')) {
      results.push(await compareEngines(query, stock, db, routes))
    }
    const different = results.filter((it) => !it.isEqual || !it.isRouted)
    return [
      ...results.map(({ name, stockMs, htapMs }) =>
        atLeast(
          10,
          `${name}, times faster`,
          stockMs / htapMs,
          `stock ${stockMs.toFixed(0)} ms, htap ${htapMs.toFixed(1)} ms`,
        ),
      ),
      atMost(
        0,
        'demo queries with other rows or another route',
        different.length,
        different.map((it) => it.name).join(', '),
      ),
    ]
  } finally {
    await db.destroy()
    await stock.destroy()
  }
}
