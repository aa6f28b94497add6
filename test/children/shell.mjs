// A process that knows nothing of this package: it runs the statements it is given on SQLite and ends, or
// holds a file of DuckDB open until it is killed.
import { DuckDBInstance } from '@duckdb/node-api'
import Database from 'better-sqlite3'

const [engine, path, sql] = process.argv.slice(2)
if (engine === 'sqlite') {
  new Database(path, { timeout: 10_000 }).exec(sql).close()
  console.log('done')
} else {
  const connection = await (await DuckDBInstance.create(path)).connect()
  await connection.run('select 1')
  console.log('held')
  setInterval(() => connection, 1000)
}
