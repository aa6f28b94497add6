// Erases the row 1 of the table t of a database from its history. Ends by itself.
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { eraseKeys } from '../../dist/sync/history/erase-keys.js'
import { HistoryKeeper } from '../../dist/sync/history/history-keeper.js'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'

const path = process.argv[2]
const access = new OwnConnectionAccess(await openControlConnection(path), path)
const keeper = await HistoryKeeper.open({
  access,
  sourcePath: path,
  path: `${path}-history`,
  tables: ['t'],
  except: [],
  reserved: new Set(),
})
await keeper.move()
const table = readHistoryTables(keeper.history).find(({ name }) => name === 't')
const move = () => keeper.move()
await eraseKeys({ history: keeper.history, access, move, table, keys: [[1]] })
await keeper.close()
access.close()
