// Gives up old versions of the history beside a database, a few at a time of each key. Ends by itself.
import { openHistoryConnection } from '../../dist/src/oltp/open-history-connection.js'
import { applyRetention } from '../../dist/sync/history/retention.js'

const path = process.argv[2]
const history = await openHistoryConnection(`${path}-history`, path)
const { tables } = await applyRetention(history, { olderThanMs: 0, versionsPerKey: 1 })
console.log(tables.reduce((sum, { versions }) => sum + versions, 0))
history.close()
