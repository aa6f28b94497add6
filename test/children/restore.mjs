// Restores a backup into a database that others have open, by SQLite's backup API.
import Database from 'better-sqlite3'

const [backup, path] = process.argv.slice(2)
const database = new Database(backup, { readonly: true })
await database.backup(path)
database.close()
console.log('restored')
