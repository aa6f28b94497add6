// Fills a column store until its checkpoint finds no room, and says what it answers then.
import { openDuckDbStore } from '../../dist/src/olap/duckdb-store.js'

const [path] = process.argv.slice(2)
const store = await openDuckDbStore({ path, memoryLimit: '64MB', threads: 1, tempDirectory: null })
const { writer } = store
const outcome = (work) =>
  work.then(
    () => 'done',
    (error) => error.facts.reason,
  )
await writer.execute('create table t(a varchar)')
const seen = []
for (let round = 0; round < 6 && !seen.includes('invalidated'); round++) {
  seen.push(await outcome(writer.execute('insert into t select uuid()::varchar from range(30000)')))
  seen.push(await outcome(writer.execute('force checkpoint')))
}
console.log(JSON.stringify({ seen, after: await outcome(writer.values('select 1')) }))
await store.close()
