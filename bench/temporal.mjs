import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import { asOf, HtapDialect, htap, olap } from 'kysely-htap'
import { alternate, atLeast, atMost, median, noted, rate, ratio, timed } from './measure.mjs'
import { createOrders, orderColumns } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

const versionsPerRow = 10
const memory = { memoryLimit: '1GB' }

/** What temporal mode costs, and how quick the past is. */
export function temporal({ quick }) {
  return inScratchFolder(async (folder) => [
    ...(await written(folder, quick ? 20_000 : 100_000, quick ? 5 : 9)),
    ...(await applied(folder, quick ? 50_000 : 200_000, quick ? 3 : 9)),
    ...(await asked(folder, quick ? 50_000 : 200_000, quick ? 5 : 15)),
  ])
}

function open(path, sync) {
  return new Kysely({ dialect: new HtapDialect({ database: path, sync, olap: memory }) })
}

/** What the triggers cost a writer, of tables with and without history. */
async function written(folder, rows, rounds) {
  const sides = await Promise.all(
    ['none', 'mirror', 'temporal'].map(async (mode) => {
      const path = join(folder, `written-${mode}.db`)
      createOrders(path, rows).close()
      if (mode !== 'none') {
        const db = open(path, { mode, tables: ['orders'] })
        await settle(db, mode)
        await db.destroy()
      }
      return [mode, new Database(path)]
    }),
  )
  const times = await alternate(
    rounds,
    Object.fromEntries(
      sides.map(([mode, database]) => [
        mode,
        (round) => void database.prepare('update orders set amount = amount + ?').run(round),
      ]),
    ),
  )
  for (const [, database] of sides) {
    database.close()
  }
  return [
    noted(
      'updates of a table with history, of a plain one',
      ratio(times.temporal, times.none),
      `${ratio(times.mirror, times.none).toFixed(2)} with a mirror only; ${rows.toLocaleString('en')} rows in one transaction`,
    ),
  ]
}

/** The same changes in both modes, until everything is where it belongs. */
async function applied(folder, rows, rounds) {
  const modes = { mirror: 'mirror', temporal: 'temporal', unasked: 'temporal' }
  const sides = await Promise.all(
    Object.entries(modes).map(async ([side, mode]) => {
      const path = join(folder, `${side}.db`)
      createOrders(path, rows).close()
      const db = open(path, { mode, tables: ['orders'] })
      await copied(db)
      await settle(db, side)
      return { side, db, database: new Database(path) }
    }),
  )
  const times = await alternate(
    rounds,
    Object.fromEntries(
      sides.map(({ side, db, database }) => [
        side,
        async (round) => {
          database.prepare('update orders set amount = amount + ?').run(round)
          return await timed(() => settle(db, side))
        },
      ]),
    ),
  )
  for (const { db, database } of sides) {
    database.close()
    await db.destroy()
  }
  return [
    atLeast(
      0.6,
      'rate of changes in temporal mode, of the mirror alone',
      1 / ratio(times.temporal, times.mirror),
      `${rate(rows, median(times.temporal))} against ${rate(rows, median(times.mirror))}, medians of ${rounds}`,
    ),
    noted(
      'the same before anybody asks about the past',
      1 / ratio(times.unasked, times.mirror),
      `${rate(rows, median(times.unasked))}; the history is on disk, and DuckDB has no copy of its new versions yet`,
    ),
  ]
}

/** Waits for the first copy, as `syncNow` does not: it waits for changes. */
async function copied(db) {
  await htap(db).syncNow()
  while ((await htap(db).status()).tables[0]?.state !== 'live') {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Everything that is committed is in the copy and, in temporal mode, in the history and, if asked for, its copy. */
async function settle(db, side) {
  if (side !== 'mirror') {
    await htap(db).settleHistory()
  }
  if (side === 'temporal') {
    await asOf(db, new Date()).selectFrom('orders').select('id').limit(1).execute()
  }
  await htap(db).syncNow()
}

/** An aggregate of the past, beside the same one of now and beside a history table kept by hand. */
async function asked(folder, rows, rounds) {
  const path = join(folder, 'asked.db')
  createOrders(path, rows).close()
  const db = open(path, { mode: 'temporal', tables: ['orders'] })
  const byHand = new Database(join(folder, 'by-hand.db'))
  byHand.exec(`create table orders_history (${orderColumns.replace('id integer primary key', 'id integer')},
    valid_from integer, valid_to integer); attach '${path}' as now`)
  const moments = []
  for (let version = 1; version <= versionsPerRow; version++) {
    if (version > 1) {
      await db
        .updateTable('orders')
        .set((eb) => ({ amount: eb('amount', '+', version), status: `state ${version % 3}` }))
        .execute()
    }
    const { position } = await htap(db).settleHistory()
    moments.push(position)
    byHand.exec(`update orders_history set valid_to = ${position} where valid_to is null;
      insert into orders_history select o.*, ${position}, null from now.orders o`)
  }
  byHand.exec('detach now; create index by_period on orders_history(valid_from, valid_to)')
  const middle = moments[versionsPerRow / 2]
  await settle(db, 'temporal')
  const totals = (of) =>
    of
      .selectFrom('orders')
      .select(({ fn }) => ['status', fn.countAll().as('n'), fn.sum('amount').as('total')])
      .groupBy('status')
      .orderBy('status')
      .execute()
  const hand =
    byHand.prepare(`select status, count(*) as n, sum(amount) as total from orders_history
    where valid_from <= ${middle} and (valid_to > ${middle} or valid_to is null)
    group by status order by status`)
  const past = await totals(asOf(db, { position: middle }))
  const isSame = JSON.stringify(past) === JSON.stringify(hand.all())
  const times = await alternate(rounds, {
    past: () => totals(asOf(db, { position: middle })),
    now: () => totals(olap(db)),
    hand: () => hand.all(),
  })
  const versions = rows * versionsPerRow
  const { sizes } = await htap(db).status()
  await db.destroy()
  byHand.close()
  const historyBytes = statSync(`${path}-htap-history`).size
  const figures = `${median(times.past).toFixed(1)} ms`
  return [
    atMost(
      3,
      `aggregate as of a moment with ${versionsPerRow} versions a row, of the same one now`,
      ratio(times.past, times.now),
      `${figures} against ${median(times.now).toFixed(1)} ms, ${rows.toLocaleString('en')} rows`,
    ),
    atMost(
      1,
      'the same, of SQLite over a history table kept by hand',
      ratio(times.past, times.hand),
      `${figures} against ${median(times.hand).toFixed(1)} ms`,
    ),
    atMost(0, 'answers that differ from that table', isSame ? 0 : 1, 'at one moment'),
    noted(
      'bytes of a version in the history',
      historyBytes / versions,
      `${(sizes.fileBytes / versions).toFixed(1)} in DuckDB's file with the mirror, ${versions.toLocaleString('en')} versions`,
    ),
  ]
}
