// Writes numbered transactions into temporal tables and says when each is committed; moves them into
// the history from time to time. Goes on until it is killed.
import Database from 'better-sqlite3'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { HistoryKeeper } from '../../dist/sync/history/history-keeper.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'

const path = process.argv[2]
const database = new Database(path)
database.pragma('journal_mode = wal')
database.exec(`
  create table if not exists counter(id integer primary key, n int);
  create table if not exists ledger(n integer primary key, blob);
  create table if not exists slot(id integer primary key, k int unique, n int);
  insert or ignore into counter values (1, 0)`)
const access = new OwnConnectionAccess(await openControlConnection(path), path)
const keeper = await HistoryKeeper.open({
  access,
  sourcePath: path,
  path: `${path}-history`,
  tables: ['counter', 'ledger', 'slot'],
  except: [],
  reserved: new Set(),
})
await keeper.move()
console.log('ready')
const count = database.prepare('update counter set n = n + 1 returning n').pluck()
const note = database.prepare('insert into ledger values (?, zeroblob(200))')
const take = database.prepare('insert or replace into slot values (?, ?, ?)')
for (let i = 0; ; i++) {
  database.exec('begin immediate')
  const n = count.get()
  note.run(n)
  take.run(n % 5, n % 7, n)
  database.exec('commit')
  keeper.noteCommit()
  console.log(n)
  if (i % 10 === 9) {
    await keeper.move()
  }
  await new Promise((resolve) => setImmediate(resolve))
}
