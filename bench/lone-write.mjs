import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Kysely } from 'kysely'
import { HtapDialect, htap, olap } from 'kysely-htap'
import { alternate, atMost, median, noted, quantile } from './measure.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

const order = (note) => ({
  customer_id: 1,
  product_id: 2,
  amount: 3,
  price: 4.5,
  status: 'open',
  created_at: '2024-01-01',
  note,
})

/** From a commit to its place in DuckDB, against the least that DuckDB itself would take. */
export function loneWrite({ quick }) {
  const rows = 100_000
  const rounds = quick ? 100 : 300
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    createOrders(path, rows).close()
    const db = new Kysely({ dialect: new HtapDialect({ database: path, routing: 'duckdb' }) })
    const bare = await openBare(join(folder, 'bare.duckdb'), rows)
    const count = db.selectFrom('orders').select((eb) => eb.fn.countAll().as('n'))
    await count.execute()
    let expected = rows
    const insert = async (round) => {
      expected += 1
      await db
        .insertInto('orders')
        .values(order(`order ${round}`))
        .execute()
    }
    const times = await alternate(rounds, {
      visible: async (round) => {
        await insert(round)
        await htap(db).syncNow()
      },
      bare: (round) => bare.applyOne(rows + 1 + round),
      asked: async (round) => {
        await insert(round)
        const [{ n }] = await olap(count).execute()
        if (n !== expected) {
          throw new Error(`a stale answer: ${n} instead of ${expected}`)
        }
      },
    })
    await db.destroy()
    bare.close()
    const { visible, asked } = times
    const at = (values, share) => `${quantile(values, share).toFixed(2)} ms`
    return [
      atMost(
        2.2,
        'a lone write is applied, against a bare DuckDB transaction of one event',
        median(visible) / median(times.bare),
        `p50 ${at(visible, 0.5)} against ${at(times.bare, 0.5)}; p99 ${at(visible, 0.99)} against ${at(times.bare, 0.99)}`,
      ),
      noted(
        'insert and a strong aggregate that sees it, p50 in ms',
        median(asked),
        `p99 ${at(asked, 0.99)}`,
      ),
    ]
  })
}

async function openBare(path, rows) {
  const instance = await DuckDBInstance.create(path, { threads: '2' })
  const connection = await instance.connect()
  await connection.run(`
    create table orders as
    select i as id, i % 50000 as customer_id, i % 2000 as product_id, i % 1000 as amount,
      i / 8.0 as price, 'open' as status, '2024-01-01' as created_at, 'order ' || i as note
    from range(1, ${rows + 1}) t (i)`)
  await connection.run('alter table orders alter price type double')
  await connection.run('create table watermark as select 0::bigint as position')
  await connection.run('checkpoint')
  return {
    async applyOne(id) {
      await connection.run('begin')
      await connection.run(`delete from orders where id = ${id}`)
      const appender = await connection.createAppender('orders')
      for (const value of [id, 1, 2, 3]) {
        appender.appendBigInt(BigInt(value))
      }
      appender.appendDouble(4.5)
      for (const value of ['open', '2024-01-01', `order ${id}`]) {
        appender.appendVarchar(value)
      }
      appender.endRow()
      appender.closeSync()
      await connection.run(`update watermark set position = ${id}`)
      await connection.run('commit')
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
