import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { installPacked } from '../support/packed-project.js'
import { tempFolder } from '../support/temp-folder.js'

// A bundler packs what is imported, and the files of workers are not.
it('answers and mirrors on one thread where the files of its workers are missing', () => {
  const folder = tempFolder()
  const installed = installPacked(folder)
  rmSync(join(installed, 'dist', 'src', 'oltp', 'read-worker.js'))
  rmSync(join(installed, 'dist', 'sync', 'read', 'sync-worker.js'))
  writeFileSync(
    join(folder, 'program.mjs'),
    `
    import Database from 'better-sqlite3'
    import { Kysely, sql } from 'kysely'
    import { HtapDialect, htap, olap } from 'kysely-htap'
    const database = new Database('app.db')
    database.pragma('journal_mode = wal')
    database.exec(\`create table item(id integer primary key, price);
      with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
      insert into item select x, x % 10 from c\`)
    const db = new Kysely({ dialect: new HtapDialect({ database }) })
    const { rows: [long] } = await sql\`with recursive c(x) as (select 1 union all
      select x + 1 from c where x < 1000000) select count(*) as n from c\`.execute(db)
    const query = db.selectFrom('item').select((eb) => ['price', eb.fn.countAll().as('n')])
    let groups = null
    for (const end = Date.now() + 20000; groups === null && Date.now() < end; ) {
      groups = await olap(query.groupBy('price')).execute().catch(() => null)
    }
    const { equal } = await htap(db).verify()
    await db.destroy()
    console.log(JSON.stringify({ long: long.n, groups: groups?.length, equal }))`,
  )
  const result = spawnSync(process.execPath, ['program.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 50_000,
    killSignal: 'SIGKILL',
  })
  expect(result, result.stderr).toMatchObject({ status: 0, signal: null })
  expect(JSON.parse(result.stdout)).toEqual({ long: 1_000_000, groups: 10, equal: true })
})
