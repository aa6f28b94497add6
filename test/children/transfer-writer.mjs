// Moves money between accounts, as a process that knows nothing of this package.
import Database from 'better-sqlite3'

const [path, transfers, accounts, seed] = process.argv.slice(2)
const database = new Database(path, { timeout: 30_000 })
const take = database.prepare('update account set balance = balance - ? where id = ?')
const give = database.prepare('update account set balance = balance + ? where id = ?')
const move = database.transaction((amount, from, to) => {
  take.run(amount, from)
  give.run(amount, to)
})
let state = Number(seed) >>> 0
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 4294967296) * below)
}
for (let index = 0; index < Number(transfers); index++) {
  move.immediate(1 + random(50), 1 + random(Number(accounts)), 1 + random(Number(accounts)))
  if (index % 20 === 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
database.close()
console.log('done')
