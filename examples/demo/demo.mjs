// Three million real flights: the same Kysely queries through the stock SQLite dialect and through
// kysely-htap, compared row by row; then writes and queries in turns; then the proof that both
// engines hold the same; then some of the flights as they were. Exits with 1 if anything differs.
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'
import { compareEngines } from './compare-engines.mjs'
import { readDemoOptions } from './demo-options.mjs'
import { FirstCopy } from './first-copy.mjs'
import { prepareFlightDatabase } from './flight-database.mjs'
import { writeAndAsk } from './fresh-writes.mjs'
import { showPast } from './past.mjs'
import { queries } from './queries.mjs'
import { textTable } from './text-table.mjs'

const tables = ['airport', 'flight']
const options = readDemoOptions()
const failures = []
const startMs = performance.now()
const path = await prepareFlightDatabase(options)

const firstCopy = new FirstCopy()
const routes = []
const stock = new Kysely({ dialect: new SqliteDialect({ database: new Database(path) }) })
const db = new Kysely({
  dialect: new HtapDialect({
    database: path,
    sync: { tables, onProgress: firstCopy.onProgress },
    onRoute: (event) => routes.push(event),
  }),
})
try {
  await firstCopy.wait(db, tables)
  await compareAll()
  await askWhileWriting()
  await showStatus()
  await verifyCopies()
} finally {
  await db.destroy()
  await stock.destroy()
}
failures.push(...(await showPast(options.folder, path)))
const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
console.log(failures.length === 0 ? `\nAll equal, in ${seconds} s.` : `\n${failures.join('\n')}`)
process.exitCode = failures.length === 0 ? 0 : 1

async function compareAll() {
  console.log('\nThe same queries through both dialects:\n')
  const results = []
  for (const query of queries) {
    const result = await compareEngines(query, stock, db, routes)
    results.push(result)
    if (!result.isEqual) {
      failures.push(`DIFFERENT ROWS: ${query.name}`)
    }
    // With few rows SQLite may well be the better choice.
    if (!result.isRouted && options.rows >= 1_000_000) {
      failures.push(`NOT ON ${query.engine}: ${query.name} (${result.reason})`)
    }
  }
  console.log(
    textTable(
      ['query', 'rows', 'stock ms', 'htap ms', 'speed-up', 'equal', 'route', 'reason'],
      results.map((it) => [
        it.name,
        it.rows,
        it.stockMs,
        it.htapMs,
        it.stockMs / it.htapMs,
        it.isEqual ? 'yes' : 'NO',
        it.route,
        it.reason,
      ]),
    ),
  )
}

async function askWhileWriting() {
  const { asked, stale, ms } = await writeAndAsk(db, options.rounds)
  const at = (share) => ms[Math.floor(share * (ms.length - 1))].toFixed(1)
  console.log(
    `\nWrites and aggregates in turns: ${asked} answers, ${stale} stale, ` +
      `median ${at(0.5)} ms, 99th percentile ${at(0.99)} ms`,
  )
  if (stale > 0) {
    failures.push(`${stale} STALE ANSWERS`)
  }
}

async function showStatus() {
  const status = await htap(db).status()
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1)
  const sizes = status.sizes === null ? '' : `, ${megabytes(status.sizes.fileBytes)} MB on disk`
  console.log(`\nThe copy is ${status.state} at position ${status.position}${sizes}`)
  console.log(
    textTable(
      ['table', 'state', 'rows', 'lag changes', 'lag ms'],
      status.tables.map((it) => [it.table, it.state, it.rows, it.lagChanges, it.lagMs]),
    ),
  )
  const counts = Object.entries(status.routes).flatMap(([engine, reasons]) =>
    Object.entries(reasons).map(([reason, count]) => [engine, reason, count]),
  )
  console.log(`\n${textTable(['route', 'reason', 'queries'], counts)}`)
}

async function verifyCopies() {
  const report = await htap(db).verify()
  for (const { table, sqliteRows, mirrorRows, equal } of report.tables) {
    const word = equal ? 'equal' : 'DIFFERENT'
    console.log(`\nverify ${table}: ${sqliteRows} rows in SQLite, ${mirrorRows} in DuckDB, ${word}`)
  }
  if (!report.equal || report.tables.length !== tables.length) {
    failures.push('VERIFY FOUND A DIFFERENCE')
  }
}
