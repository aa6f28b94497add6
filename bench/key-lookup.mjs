import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { HtapDialect } from 'kysely-htap'
import { alternate, atMost, computed, median, ratio, us } from './measure.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/** A point read through Kysely, against the stock dialect and against the bare statement. */
export function keyLookup({ quick }) {
  const rows = 100_000
  const lookups = quick ? 2000 : 5000
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    createOrders(path, rows).close()
    const database = new Database(path)
    const statement = database.prepare('select * from orders where id = ?')
    const stock = new Kysely({ dialect: new SqliteDialect({ database: new Database(path) }) })
    const htapDb = new Kysely({ dialect: new HtapDialect({ database: path }) })
    const byKey = async (db) => {
      for (let i = 0; i < lookups; i++) {
        const id = 1 + ((i * 7919) % rows)
        await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      }
    }
    const byStatement = () => {
      for (let i = 0; i < lookups; i++) {
        statement.get(1 + ((i * 7919) % rows))
      }
    }
    const times = await alternate(quick ? 7 : 15, {
      htap: () => computed(() => byKey(htapDb)),
      stock: () => computed(() => byKey(stock)),
      bare: () => computed(byStatement),
    })
    await stock.destroy()
    await htapDb.destroy()
    database.close()
    const figures = Object.entries(times)
      .map(([name, ms]) => `${name} ${us(median(ms), lookups)}`)
      .join(', ')
    return [
      atMost(0.6, 'key lookup against the stock dialect', ratio(times.htap, times.stock), figures),
      atMost(3, 'key lookup against a bare get()', ratio(times.htap, times.bare), figures),
    ]
  })
}
