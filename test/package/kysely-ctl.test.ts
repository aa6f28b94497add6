import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { installPacked, isInstalled } from '../support/packed-project.js'
import { tempFolder } from '../support/temp-folder.js'

// kysely-ctl is the command line of Kysely's own organisation. It takes the dialect from a file, and
// its process has to end by itself: whatever the dialect keeps open would hold it up.
const ctl = isInstalled('kysely-ctl')

const migration = `
  import { type Kysely, sql } from 'kysely'
  export async function up(db: Kysely<never>) {
    await db.schema.createTable('person').addColumn('id', 'integer', (c) => c.primaryKey())
      .addColumn('age', 'integer').execute()
    await sql\`insert into person(age) with recursive c(x) as (select 1 union all select x + 1 from c
      where x < 20000) select x % 90 from c\`.execute(db)
  }
  export async function down(db: Kysely<never>) {
    await db.schema.dropTable('person').execute()
  }`

function createProject(sync: string): string {
  const folder = tempFolder()
  installPacked(folder)
  mkdirSync(join(folder, 'migrations'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'migrations', '001_person.ts'), migration)
  writeFileSync(
    join(folder, 'kysely.config.ts'),
    `import { HtapDialect } from 'kysely-htap'
     import { defineConfig } from 'kysely-ctl'
     export default defineConfig({
       dialect: new HtapDialect({ database: 'app.db', sync: ${sync} }),
       migrations: { migrationFolder: 'migrations' },
     })`,
  )
  return folder
}

describe.skipIf(!ctl)(`kysely-ctl${ctl ? '' : ' (skipped: it is not installed)'}`, () => {
  it.each(['{}', 'false'])(
    'migrates up and down and ends by itself, with sync: %s',
    async (sync) => {
      const folder = createProject(sync)
      const run = async (...words: string[]) => {
        const entry = join(folder, 'node_modules', 'kysely-ctl', 'dist', 'bin.mjs')
        // A process that does not end by itself is killed, and the promise rejects.
        const { stdout, stderr } = await promisify(execFile)(process.execPath, [entry, ...words], {
          cwd: folder,
          // It prints nothing where it takes itself to be under test.
          env: { ...process.env, NODE_ENV: 'production', TEST: '', CONSOLA_LEVEL: '3' },
          timeout: 30_000,
          killSignal: 'SIGKILL',
        })
        return stdout + stderr
      }
      const tables = () => {
        const database = new Database(join(folder, 'app.db'), { readonly: true })
        try {
          const sql = `select name from sqlite_master where type = 'table' and name = 'person'`
          return database.prepare(sql).pluck().all()
        } finally {
          database.close()
        }
      }
      expect(await run('migrate', 'latest')).toContain('001_person')
      expect(tables()).toEqual(['person'])
      expect(await run('migrate', 'list')).toContain('001_person')
      expect(await run('migrate', 'latest')).toMatch(/up to date|no migrations|skipped/i)
      expect(await run('migrate', 'down')).toContain('001_person')
      expect(tables()).toEqual([])
    },
  )
})
