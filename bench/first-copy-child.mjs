// Copies the table `orders` of a database and says how long it took and what memory.
import { openEngine } from './open-engine.mjs'

const [path] = process.argv.slice(2)
const { engine, copy } = await openEngine(path)
const startMs = performance.now()
await copy('orders')
const ms = performance.now() - startMs
const copied = engine.tables.find('orders').live.rowCount
await engine.close()
const peakMb = Math.round(process.resourceUsage().maxRSS / 1024)
process.stdout.write(JSON.stringify({ ms, copied, peakMb }))
