import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Kysely } from 'kysely'
import { HtapDialect, htap } from 'kysely-htap'
import { alternate, atMost, median } from './measure.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

const settings = {
  default_null_order: 'nulls_first_on_asc_last_on_desc',
  integer_division: 'true',
  ieee_floating_point_ops: 'false',
  order_by_non_integer_literal: 'true',
  old_implicit_casting: 'false',
}

const statements = {
  'one total': (db) =>
    db
      .selectFrom('orders')
      .select((eb) => [eb.fn.countAll().as('n'), eb.fn.max('amount').as('most')]),
  'groups, filtered and ordered': (db) =>
    db
      .selectFrom('orders')
      .select((eb) => ['status', eb.fn.countAll().as('n'), eb.fn.sum('amount').as('amount')])
      .where('amount', '>', 100)
      .groupBy('status')
      .orderBy('status'),
  'two thousand rows': (db) =>
    db
      .selectFrom('orders')
      .select((eb) => ['product_id', eb.fn.sum('amount').as('amount')])
      .groupBy('product_id')
      .orderBy('product_id'),
}

/** The whole way of an analytic query, against the driver that gets the finished DuckDB SQL. */
export function statementOverhead({ quick }) {
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    createOrders(path, 100_000).close()
    const events = []
    const open = () =>
      new Kysely({
        dialect: new HtapDialect({
          database: path,
          olap: { threads: 2 },
          routing: 'duckdb',
          onRoute: (event) => events.push(event),
        }),
      })
    const first = open()
    await statements['one total'](first).execute()
    await first.destroy()
    // The same file cannot be open twice; the bare driver reads a copy of it.
    copyFileSync(`${path}-htap.duckdb`, join(folder, 'bare.duckdb'))
    const instance = await DuckDBInstance.create(join(folder, 'bare.duckdb'), { threads: '2' })
    const connection = await instance.connect()
    for (const [name, value] of Object.entries(settings)) {
      await connection.run(`set ${name} = '${value}'`)
    }
    const db = open()
    await htap(db).syncNow()
    const results = []
    for (const [name, build] of Object.entries(statements)) {
      results.push(await measure(name, build(db), connection, events, quick ? 100 : 300))
    }
    await db.destroy()
    connection.closeSync()
    instance.closeSync()
    return results
  })
}

async function measure(name, query, connection, events, rounds) {
  await query.execute()
  const { duckdbSql, engine, reason } = events.at(-1)
  if (engine !== 'duckdb') {
    throw new Error(`${name} stays on SQLite: ${reason}`)
  }
  const parameters = query.compile().parameters.map((value) => BigInt(value))
  const { htapMs, bareMs } = await alternate(rounds, {
    htapMs: () => query.execute(),
    bareMs: async () => (await connection.run(duckdbSql, parameters)).getRowObjectsJS(),
  })
  const overhead = median(htapMs) - 1.1 * median(bareMs)
  return atMost(
    0.3,
    `${name}: ms beyond 110 % of the bare driver`,
    overhead,
    `htap ${median(htapMs).toFixed(2)} ms, bare ${median(bareMs).toFixed(2)} ms`,
  )
}
