import { htap } from 'kysely-htap'
import { ProgressLine } from './progress-line.mjs'

const waitMaxMs = 240_000
const pollMs = 20

/** Shows how the first copies get on, and waits until they are live. */
export class FirstCopy {
  #lines = new Map()

  /** To be given to the dialect as `sync.onProgress`. */
  onProgress = ({ table, rows, rowsTotal, done }) => {
    const line = this.#lines.get(table) ?? new ProgressLine(`Copying ${table}`, rowsTotal ?? rows)
    this.#lines.set(table, line)
    line.show(rows)
    if (done) {
      const seconds = (line.end() / 1000).toFixed(1)
      console.log(`${rows.toLocaleString('en')} rows of ${table} copied in ${seconds} s`)
    }
  }

  async wait(db, tables) {
    const startMs = performance.now()
    await db.connection().execute(async () => {})
    for (;;) {
      const status = await htap(db).status()
      const states = new Map(status.tables.map((table) => [table.table, table]))
      if (tables.every((name) => states.get(name)?.state === 'live')) {
        break
      }
      if (performance.now() - startMs > waitMaxMs) {
        throw new Error(`no copy after ${waitMaxMs} ms: ${JSON.stringify(status.tables)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
    if (this.#lines.size === 0) {
      const ms = (performance.now() - startMs).toFixed(0)
      console.log(`The copy of an earlier run is still right; opened in ${ms} ms`)
    }
  }
}
