import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { asOf, changes, HtapDialect, history, htap, restoreTable, withActor } from 'kysely-htap'
import { textTable } from './text-table.mjs'

const flightsMax = 300_000

/**
 * The second part: some of the flights in temporal mode. A day is cancelled by mistake and brought back,
 * and every state on the way is compared with a copy of the database that was frozen then.
 *
 * @param source path of the database with the flights
 * @returns what was not as it should be
 */
export async function showPast(folder, source) {
  const path = join(folder, 'past.db')
  removeFiles(folder)
  takeFlights(path, source)
  const db = new Kysely({
    dialect: new HtapDialect({ database: path, sync: { mode: 'temporal' } }),
  })
  const states = []
  try {
    const freeze = async (name) => {
      const { position } = await htap(db).settleHistory()
      const copy = join(folder, `past-${states.length}.db`)
      const live = new Database(path)
      live.prepare('vacuum into ?').run(copy)
      live.close()
      states.push({ name, position, copy })
    }
    await freeze('as they were')
    await withActor(db, { actor: 'dispatch', message: 'storm' }, (trx) =>
      trx
        .updateTable('flight')
        .set((eb) => ({ delay: eb('delay', '+', 60) }))
        .where('origin', '=', 'ORD')
        .execute(),
    )
    await freeze('after the storm')
    await withActor(db, { actor: 'trainee', message: 'oops' }, (trx) =>
      trx.deleteFrom('flight').where('destination', '=', 'ATL').execute(),
    )
    await freeze('after a mistake')
    const restored = await restoreTable(db, 'flight', { to: { position: states[1].position } })
    console.log(
      `\nThe past: a mistake is undone, ${restored.inserted.toLocaleString('en')} flights are back.\n`,
    )
    const failures = await compareStates(db, states)
    await tellStory(db)
    return failures
  } finally {
    await db.destroy()
    removeFiles(folder)
  }
}

function totals(db) {
  return db
    .selectFrom('flight')
    .innerJoin('airport', 'airport.iata', 'flight.origin')
    .select(({ fn }) => ['airport.state', fn.countAll().as('flights'), fn.sum('delay').as('delay')])
    .groupBy('airport.state')
    .orderBy('airport.state')
}

async function compareStates(db, states) {
  const failures = []
  const rows = []
  for (const { name, position, copy } of states) {
    const frozen = new Kysely({ dialect: new SqliteDialect({ database: new Database(copy) }) })
    const expected = await timed(() => totals(frozen).execute())
    const first = await totals(asOf(db, { position })).execute()
    const actual = await timed(() => totals(asOf(db, { position })).execute())
    await frozen.destroy()
    const isEqual =
      isDeepStrictEqual(actual.value, expected.value) && isDeepStrictEqual(first, actual.value)
    if (!isEqual) {
      failures.push(`THE PAST IS ANOTHER ONE: ${name}`)
    }
    rows.push([name, expected.value.length, expected.ms, actual.ms, isEqual ? 'yes' : 'NO'])
  }
  console.log(textTable(['flights by state', 'rows', 'frozen copy ms', 'as of ms', 'equal'], rows))
  return failures
}

async function tellStory(db) {
  const { id } = await history(db, { deleted: true })
    .selectFrom('flight')
    .where('operation', '=', 'D')
    .select('id')
    .limit(1)
    .executeTakeFirstOrThrow()
  const life = []
  for await (const { operation, kind, actor, message, after } of changes(db, 'flight', {
    where: { id },
  })) {
    life.push([operation, kind, actor ?? '', message ?? '', after?.delay ?? ''])
  }
  console.log(`\nThe life of flight ${id}:\n`)
  console.log(textTable(['operation', 'kind', 'actor', 'message', 'delay'], life))
}

function takeFlights(path, source) {
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  database.exec(`attach '${source.replaceAll("'", "''")}' as source`)
  const tables = database
    .prepare("select sql from source.sqlite_schema where name in ('airport', 'flight')")
    .pluck()
    .all()
  database.exec(tables.join(';'))
  database.exec(`insert into airport select * from source.airport;
    insert into flight select * from source.flight order by id limit ${flightsMax}`)
  database.close()
}

function removeFiles(folder) {
  for (const name of ['past', 'past-0', 'past-1', 'past-2']) {
    for (const suffix of [
      '',
      '-wal',
      '-shm',
      '-htap.duckdb',
      '-htap.duckdb.wal',
      '-htap-history',
      '-htap-history-wal',
      '-htap-history-shm',
    ]) {
      rmSync(join(folder, `${name}.db${suffix}`), { force: true })
    }
  }
}

async function timed(action) {
  const startMs = performance.now()
  const value = await action()
  return { value, ms: performance.now() - startMs }
}
