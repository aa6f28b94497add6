import { olap } from 'kysely-htap'

/**
 * Writes and asks in turns. What every aggregate must say is kept beside, so that one which misses
 * a commit is noticed.
 *
 * @returns how many answers there were, how many were stale, and how long they took
 */
export async function writeAndAsk(db, rounds) {
  const totals = (on) =>
    on
      .selectFrom('flight')
      .select((eb) => [
        eb.fn.countAll().as('flights'),
        eb.fn.sum('delay').as('delay'),
        eb.fn.max('id').as('newest'),
      ])
  const expected = { ...(await totals(db.withoutPlugins()).executeTakeFirstOrThrow()) }
  const outcome = { asked: 0, stale: 0, ms: [] }
  for (let round = 0; round < rounds; round++) {
    await writes[round % writes.length](db, expected, round)
    const startMs = performance.now()
    const actual = await olap(totals(db)).executeTakeFirstOrThrow()
    outcome.ms.push(performance.now() - startMs)
    outcome.asked++
    outcome.stale += isSame(actual, expected) ? 0 : 1
  }
  outcome.ms.sort((a, b) => a - b)
  return outcome
}

const writes = [
  async function insertOne(db, expected, round) {
    const { insertId } = await db
      .insertInto('flight')
      .values(newFlight(round))
      .executeTakeFirstOrThrow()
    expected.flights += 1
    expected.delay += round
    expected.newest = Number(insertId)
  },
  async function updateOne(db, expected) {
    await db
      .updateTable('flight')
      .set((eb) => ({ delay: eb('delay', '+', 7) }))
      .where('id', '=', expected.newest)
      .execute()
    expected.delay += 7
  },
  async function insertSeveral(db, expected, round) {
    await db.transaction().execute(async (trx) => {
      const rows = Array.from({ length: 20 }, () => newFlight(round))
      await trx.insertInto('flight').values(rows).execute()
      await trx
        .updateTable('flight')
        .set({ delay: 0 })
        .where('id', '=', expected.newest + 1)
        .execute()
    })
    expected.flights += 20
    expected.delay += 19 * round
    expected.newest += 20
  },
  async function deleteOne(db, expected) {
    const { delay } = await db
      .deleteFrom('flight')
      .where('id', '=', expected.newest - 1)
      .returning('delay')
      .executeTakeFirstOrThrow()
    expected.flights -= 1
    expected.delay -= delay
  },
  async function rollBack(db) {
    const changedMind = new Error('changed my mind')
    const failed = db.transaction().execute(async (trx) => {
      await trx.insertInto('flight').values(newFlight(100_000)).execute()
      throw changedMind
    })
    await failed.catch((error) => {
      if (error !== changedMind) {
        throw error
      }
    })
  },
]

function newFlight(delay) {
  return { departure: '2001-07-01 00:01', delay, distance: 337, origin: 'SFO', destination: 'LAX' }
}

function isSame(actual, expected) {
  return Object.entries(expected).every(([name, value]) => actual[name] === value)
}
