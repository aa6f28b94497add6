// Gives up old versions of the history beside a database, a few at a time of each key. Ends by itself.
import Database from 'better-sqlite3'
import { applyRetention } from '../../dist/sync/history/retention.js'

const history = new Database(`${process.argv[2]}-history`)
const { tables } = await applyRetention(history, { olderThanMs: 0, versionsPerKey: 1 })
console.log(tables.reduce((sum, { versions }) => sum + versions, 0))
history.close()
