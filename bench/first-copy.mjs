import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alternate, atLeast, atMost, median, rate, ratio } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { createOrders } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/** The first copy of a table, from the order to serving it, against only reading SQLite. */
export function firstCopy({ quick }) {
  const rows = quick ? 300_000 : 2_000_000
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    const database = createOrders(path, rows)
    const { engine, copy } = await openEngine(path)
    const statement = database.prepare('select * from orders').raw()
    await copy('orders')
    const times = await alternate(3, {
      copied: () => engine.rebuild('orders'),
      read: () => {
        let count = 0
        for (const row of statement.iterate()) {
          count += row.length
        }
        return count > 0 ? undefined : 0
      },
    })
    await engine.close()
    database.close()
    const { copied, read } = times
    return [
      atLeast(
        0.5,
        `first copy of ${rows.toLocaleString('en')} rows against only reading them`,
        ratio(read, copied),
        `copied ${rate(rows, median(copied))}, read ${rate(rows, median(read))}`,
      ),
    ]
  })
}

/** Ten million rows in a process whose heap must not pass half a gigabyte. */
export function firstCopyMemory() {
  const rows = 10_000_000
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'orders.db')
    createOrders(path, rows).close()
    const script = fileURLToPath(new URL('first-copy-child.mjs', import.meta.url))
    const child = spawn(process.execPath, ['--max-old-space-size=512', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    const { ms, copied, peakMb } = code === 0 ? JSON.parse(output) : {}
    return [
      atMost(
        0,
        `first copy of ${rows.toLocaleString('en')} rows in a heap of 512 MB, exit code`,
        code === 0 && copied === rows ? 0 : (code ?? 1),
        `${rate(rows, ms ?? Number.NaN)}, peak RSS ${peakMb} MB`,
      ),
    ]
  })
}
