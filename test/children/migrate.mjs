// Migrates a database with Kysely's own dialect and migrator, as `kysely migrate` does.
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'

const [path, provider] = process.argv.slice(2)
const { Migrator } = await import('kysely/migration').catch(() => import('kysely'))
const { migrations } = await import(provider)
const database = new Database(path, { timeout: 5000 })
const db = new Kysely({ dialect: new SqliteDialect({ database }) })
const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
const { error } = await migrator.migrateToLatest()
await db.destroy()
if (error) throw error
console.log('migrated')
