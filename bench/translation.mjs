import { join } from 'node:path'
import {
  columnsOf,
  planText,
  TranslationCache,
  translationKey,
} from '../dist/dialect/router/translation-cache.js'
import { translate } from '../dist/dialect/translate/translate.js'
import { atMost, median, noted, us } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

const total = `
  select "status", count(*) as "n", sum("amount") as "amount", avg("price") as "price"
  from "orders" where "amount" > ? group by "status" order by "status"`
const fromPlan = `
  select "id", "amount", row_number() over (partition by "status" order by "created_at") as "place"
  from "orders" where "customer_id" in (select "customer_id" from "orders" where "amount" > ?)`
const deep = `
  with "daily" as (
    select "status", substr("created_at", 1, 7) as "month", sum("amount") as "amount"
    from "orders" group by "status", "month"),
  "ranked" as (
    select *, rank() over (partition by "status" order by "amount" desc, "month") as "place"
    from "daily")
  select a."status", a."month", a."amount", b."amount" as "first"
  from "ranked" as a inner join "ranked" as b on a."status" = b."status"
  where a."place" <= ? and b."place" = 1 order by a."status", a."place", a."month", a."amount", "first"`

/** SQL text to SQL text: the first time, and when it is remembered. */
export function translation({ quick }) {
  const rounds = quick ? 300 : 2000
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    const database = createOrders(path, 20_000)
    const { engine, copy } = await openEngine(path)
    await copy('orders')
    const table = engine.tables.findLive('orders')
    const results = Object.entries({ total, 'order from the plan': fromPlan, deep }).flatMap(
      ([name, sql]) => measure(name, sql, table, database, rounds),
    )
    await engine.close()
    database.close()
    return results
  })
}

function measure(name, sql, table, database, rounds) {
  const plan = database.prepare(`explain query plan ${sql}`).all(1)
  const program = database.prepare(`explain ${sql}`).all(1)
  const context = {
    findTable: () => table,
    parameterTypes: ['safe-integer'],
    columnNames: database
      .prepare(sql)
      .columns()
      .map((column) => column.name),
    integers: 'number',
    queryPlan: () => plan,
    program: () => program,
  }
  const found = translate(sql, context)
  if (found.kind !== 'translated') {
    throw new Error(`${name} stays on SQLite: ${found.reason}`)
  }
  const cold = sample(rounds, () => translate(sql, context))
  const cache = new TranslationCache()
  const key = () => translationKey(sql, context.parameterTypes, 'number')
  cache.add(key(), {
    translation: found,
    columns: columnsOf([table]),
    planText: found.order === 'plan' ? planText(plan) : null,
    refusal: null,
  })
  const readPlan = () => planText(database.prepare(`explain query plan ${sql}`).all(1))
  const cached = sample(rounds, () => cache.find(key(), [table], readPlan))
  return [
    atMost(150, `translation of "${name}", us`, cold * 1000, 'text to text, without SQLite'),
    found.order === 'plan'
      ? noted(
          `cached "${name}", us`,
          cached * 1000,
          `with ${us(sample(rounds, readPlan))} for the plan`,
        )
      : atMost(3, `cached "${name}", us`, cached * 1000, 'a look into the cache'),
  ]
}

function sample(rounds, action) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    action()
    times.push(performance.now() - startMs)
  }
  return median(times)
}
