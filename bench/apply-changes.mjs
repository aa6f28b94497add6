import { join } from 'node:path'
import { atMost, noted, quantile, rate, timed } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/** As many changes as rows, half updates and half inserts, and how long the event loop stood still. */
export function applyChanges({ quick }) {
  const rows = quick ? 200_000 : 1_000_000
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    const database = createOrders(path, rows)
    const first = await openEngine(path)
    await first.copy('orders')
    await first.engine.close()
    makeChanges(database, rows)
    const idle = new GapProbe()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const idleGaps = idle.stop()
    const { engine } = await openEngine(path, { isSynced: false })
    const probe = new GapProbe()
    const ms = await timed(() => engine.syncNow())
    const gaps = probe.stop()
    const report = await engine.verify(['orders'])
    await engine.close()
    database.close()
    const worst = (values) => `${Math.max(...values).toFixed(1)} ms`
    return [
      atMost(
        25,
        `longest event-loop gap while ${rows.toLocaleString('en')} changes are applied, ms`,
        Math.max(...gaps),
        `99th percentile ${quantile(gaps, 0.99).toFixed(1)} ms; idle before ${worst(idleGaps)}`,
      ),
      noted('changes applied per second', (rows / ms) * 1000, rate(rows, ms)),
      atMost(0, 'rows that differ afterwards', report.equal ? 0 : 1, 'by checksum'),
    ]
  })
}

function makeChanges(database, rows) {
  const change = database.transaction(() => {
    database
      .prepare('update orders set amount = amount + 1, note = note || ? where id % 2 = 0')
      .run('!')
    database
      .prepare(`
        insert into orders
        select id + ?, customer_id, product_id, amount, price, status, created_at, note
        from orders where id % 2 = 1`)
      .run(rows)
  })
  change()
}

/** Measures how late the event loop comes round. */
class GapProbe {
  #gaps = []
  #lastMs = performance.now()
  #timer = setInterval(() => {
    const nowMs = performance.now()
    this.#gaps.push(nowMs - this.#lastMs)
    this.#lastMs = nowMs
  }, 1)

  stop() {
    clearInterval(this.#timer)
    this.#gaps.push(performance.now() - this.#lastMs)
    return this.#gaps
  }
}
