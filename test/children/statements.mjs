// Runs statements on a database with a plain connection, one after the other, and says of each that
// it is done: another process that knows nothing of this package.
import Database from 'better-sqlite3'

const [path, statements, pauseMs] = process.argv.slice(2)
const database = new Database(path, { timeout: 5000 })
for (const [index, statement] of JSON.parse(statements).entries()) {
  try {
    database.exec(statement)
  } catch (error) {
    // A table that an earlier statement has removed takes no writes.
    if (!/no such (table|column)|has no column/.test(error.message)) throw error
  }
  console.log(`done ${index}`)
  await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)))
}
database.close()
console.log('end')
