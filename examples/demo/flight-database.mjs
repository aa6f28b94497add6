import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { HtapDialect } from 'kysely-htap'
import { ProgressLine } from './progress-line.mjs'
import { readAirports, readFlights } from './source-files.mjs'

const rowsPerStatement = 250
const rowsPerTransaction = 100_000

/** The database file with the flights: the one of an earlier run if that was completed, else a new one. */
export async function prepareFlightDatabase({ folder, rows, isFresh }) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `flights-${rows}.db`)
  if (!isFresh && isComplete(path, rows)) {
    console.log(`Using ${path} of an earlier run (--fresh makes a new one)`)
    return path
  }
  for (const suffix of ['', '-wal', '-shm', '-htap.duckdb', '-htap.duckdb.wal']) {
    rmSync(path + suffix, { force: true })
  }
  await build(path, rows)
  return path
}

async function build(path, rows) {
  // Only to write; a dialect that keeps a copy comes later.
  const db = new Kysely({ dialect: new HtapDialect({ database: path, sync: false }) })
  try {
    await createTables(db)
    await insertAirports(db)
    await insertFlights(db, rows)
    const startMs = performance.now()
    await createIndexes(db)
    await sql`analyze`.execute(db)
    await sql`pragma wal_checkpoint(truncate)`.execute(db)
    // The mark of completeness: it is written last.
    await sql`pragma user_version = ${sql.lit(rows)}`.execute(db)
    console.log(`Indexes and statistics in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  } finally {
    await db.destroy()
  }
}

async function createTables(db) {
  await db.schema
    .createTable('airport')
    .addColumn('iata', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('city', 'text')
    .addColumn('state', 'text')
    .addColumn('latitude', 'real', (column) => column.notNull())
    .addColumn('longitude', 'real', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('flight')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('departure', 'text', (column) => column.notNull())
    .addColumn('delay', 'integer', (column) => column.notNull())
    .addColumn('distance', 'integer', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull().references('airport.iata'))
    .addColumn('destination', 'text', (column) => column.notNull().references('airport.iata'))
    .execute()
}

async function createIndexes(db) {
  await db.schema.createIndex('flight_origin').on('flight').column('origin').execute()
  await db.schema.createIndex('flight_departure').on('flight').column('departure').execute()
}

async function insertAirports(db) {
  const airports = (await readAirports()).map(([iata, name, city, state, latitude, longitude]) => {
    return { iata, name, city, state, latitude, longitude }
  })
  await db.transaction().execute(async (trx) => {
    for (let first = 0; first < airports.length; first += rowsPerStatement) {
      const batch = airports.slice(first, first + rowsPerStatement)
      await trx.insertInto('airport').values(batch).execute()
    }
  })
}

async function insertFlights(db, rows) {
  const progress = new ProgressLine('Writing flights into SQLite', rows)
  let written = 0
  for await (const share of groups(readFlights(rows), rowsPerTransaction)) {
    await db.transaction().execute(async (trx) => {
      for (let first = 0; first < share.length; first += rowsPerStatement) {
        // Statements of one size are one text to SQLite, which is prepared once.
        const batch = share.slice(first, first + rowsPerStatement)
        await trx.insertInto('flight').values(batch.map(asFlight)).execute()
      }
    })
    written += share.length
    progress.show(written)
  }
  const ms = progress.end()
  console.log(`${written.toLocaleString('en')} flights written in ${(ms / 1000).toFixed(1)} s`)
}

function asFlight([departure, delay, distance, origin, destination]) {
  return { departure, delay, distance, origin, destination }
}

/** Joins chunks to groups of at least `size` rows, but the last. */
async function* groups(chunks, size) {
  let group = []
  for await (const chunk of chunks) {
    group = group.concat(chunk)
    if (group.length >= size) {
      yield group
      group = []
    }
  }
  if (group.length > 0) {
    yield group
  }
}

function isComplete(path, rows) {
  if (!existsSync(path)) {
    return false
  }
  const database = new Database(path, { readonly: true })
  try {
    return database.pragma('user_version', { simple: true }) === rows
  } finally {
    database.close()
  }
}
