// The life of a database in temporal mode, for `fault-sweep.mjs`.
import { sql } from 'kysely'
import { asOf, changes, diff, history, htap, oltp, restoreTable, withActor } from 'kysely-htap'
import { insist, isTypedOrOfSqlite } from './fault-checks.mjs'

const healMs = 20_000

/** What must stay whole is the history: every moment that was settled, and every version of a row. */
export const historyLife = {
  options: {},
  sync: { mode: 'temporal' },
  mayRefuseToOpen: true,
  begin() {
    /** Moments that the history had settled, and the rows of then. */
    const moments = []
    return {
      live: (db, check) => live(db, check, moments),
      heal: (db, check, when) => heal(db, check, when, moments),
    }
  },
}

async function live(db, check, moments) {
  const settle = async () => {
    const settled = await insist(check, () => htap(db).settleHistory())
    if (settled !== undefined) {
      const [rows, sums] = [await oltp(rowsOf(db)).execute(), await oltp(sumsOf(db)).execute()]
      const { position } = settled
      moments.push({ position, rows: JSON.stringify(rows), sums: JSON.stringify(sums) })
    }
  }
  const look = () => lookBack(db, check, moments)
  await create(db)
  await sql`insert into a with recursive s(v) as (select 1 union all select v + 1 from s where v < 30)
    select v, 'k' || v, v from s`.execute(db)
  await settle()
  await db.transaction().execute(async (trx) => {
    await trx.updateTable('a').set({ n: 100 }).where('id', '<', 10).execute()
    await trx.updateTable('a').set({ n: 101 }).where('id', '=', 4).execute()
    await trx.deleteFrom('a').where('id', '=', 5).execute()
    await trx.insertInto('a').values({ id: 40, k: 'new', n: 1 }).execute()
  })
  await settle()
  await look()
  await db
    .transaction()
    .execute(async (trx) => {
      await trx.updateTable('a').set({ n: 55 }).execute()
      throw new Error('rolled back')
    })
    .catch(() => undefined)
  await sql`replace into a(id, k, n) values (50, 'k7', 3)`.execute(db)
  await settle()
  await sql`alter table a add column extra text default 'none'`.execute(db)
  await withActor(db, { actor: 'ada' }, (trx) =>
    trx.updateTable('a').set({ extra: 'some' }).where('id', '<', 4).execute(),
  )
  await settle()
  await look()
  await sql`insert into a(k, n) with recursive s(v) as (select 1 union all select v + 1 from s where v < 600)
    select 'm' || v, v from s`.execute(db)
  await settle()
  await look()
  await insist(check, () =>
    history(db).selectFrom('a').selectAll().where('id', '=', 4).orderBy('valid_from').execute(),
  )
  await insist(check, () => all(changes(db, 'a', { where: { id: 4 } })))
  const [first] = moments
  const last = moments.at(-1)
  if (first !== undefined && last !== first) {
    await insist(check, () =>
      all(diff(db, 'a', { position: first.position }, { position: last.position })),
    )
    await insist(
      check,
      () => restoreTable(db, 'a', { to: { position: first.position }, where: { id: 5 } }),
      isTypedOrOfSqlite,
    )
    await settle()
  }
  await insist(check, () => htap(db).retainHistory({ versionsPerKey: 100 }))
  await insist(check, () => htap(db).eraseHistory('a', { id: erased }))
  await look()
  await htap(db).status()
}

async function heal(db, check, when, moments) {
  // Who could not open the database at all has made no table.
  await create(db)
  const deadline = performance.now() + healMs
  for (;;) {
    try {
      await htap(db).settleHistory()
      break
    } catch (error) {
      if (performance.now() > deadline) {
        check(false, `the history is not healed ${when}: ${error.stack}`)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  // The one call that fails may be among these.
  const wrong =
    (await insist(check, () => findWrong(db, moments))) ?? (await findWrong(db, moments))
  check(wrong === '', `${when}: ${wrong}`)
}

const create = (db) =>
  sql`create table if not exists a(id integer primary key, k text unique, n integer)`.execute(db)

/** Erased while the life goes on, or not. */
const erased = 9

const rowsOf = (db) => db.selectFrom('a').selectAll().where('id', '<>', erased).orderBy('id')

/** Sums, as DuckDB answers them. */
const sumsOf = (db) =>
  db
    .selectFrom('a')
    .select(({ fn }) => [fn.countAll().as('rows'), fn.sum('n').as('n'), fn.max('k').as('k')])
    .where('id', '<>', erased)

/** Asks for some moments; an answer may be refused, but never be another one. */
async function lookBack(db, check, moments) {
  for (const { position, rows, sums } of moments.slice(-2)) {
    const then = asOf(db, { position })
    for (const [query, right] of [
      [rowsOf(then), rows],
      [sumsOf(then), sums],
    ]) {
      const answer = await insist(check, () => query.execute())
      check(
        answer === undefined || JSON.stringify(answer) === right,
        `as of ${position}: ${JSON.stringify(answer)}, then ${right}`,
      )
    }
  }
}

/** What is wrong with the history, by all its moments and all its versions; nothing if all is well. */
async function findWrong(db, moments) {
  for (const { position, rows } of moments) {
    const then = asOf(db, { position })
    const answer = JSON.stringify(await rowsOf(then).execute())
    if (answer !== rows) {
      return `as of ${position}: ${answer}, then ${rows}`
    }
  }
  const shown = (row) => (row === null ? 'no row' : `${row.k} ${row.n}`)
  const now = new Map()
  for await (const change of changes(db, 'a')) {
    const { id } = change.after ?? change.before
    if (shown(change.before) !== (now.get(id) ?? 'no row')) {
      return `${id}: ${JSON.stringify(change)} follows ${now.get(id)}`
    }
    now.set(id, shown(change.after))
  }
  const rows = await oltp(db.selectFrom('a').selectAll()).execute()
  const there = [...now].filter(([, row]) => row !== 'no row')
  const isSame = there.length === rows.length && rows.every((it) => now.get(it.id) === shown(it))
  return isSame ? '' : `the newest versions ${JSON.stringify(there)}, now ${JSON.stringify(rows)}`
}

async function all(rows) {
  const list = []
  for await (const row of rows) {
    list.push(row)
  }
  return list
}
