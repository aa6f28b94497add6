import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, olap } from '../../dist/dialect/index.js'
import { openDuckDbStore } from '../../dist/src/olap/duckdb-store.js'
import { sharedTempFolder, tempFolder } from '../support/temp-folder.js'

// What reaches DuckDB can read no file and no network, and what it writes is as closed as the database.

type DB = Record<string, Record<string, unknown>>

function openApp(path = join(tempFolder(), 'app.db')) {
  const db = new Kysely<DB>({ dialect: new HtapDialect({ database: path, routing: 'duckdb' }) })
  onTestFinished(() => db.destroy())
  return { db, path }
}

describe('a routed query', () => {
  const secret = join(sharedTempFolder(), 'secret.csv')
  writeFileSync(secret, 'word\nhush\n')

  /** Whatever DuckDB offers for reading and writing beyond its own tables. */
  const attempts = [
    `select * from read_csv('${secret}')`,
    `select * from read_text('${secret}')`,
    `select * from read_blob('${secret}')`,
    `select * from read_parquet('${secret}')`,
    `select * from read_json('${secret}')`,
    `select * from '${secret}'`,
    `select * from "${secret}"`,
    `select count(*) from item, read_csv('${secret}')`,
    `select (select content from read_text('${secret}')) from item`,
    `select * from glob('${dirname(secret)}/*')`,
    `select * from sniff_csv('${secret}')`,
    `select * from read_csv('http://127.0.0.1:9/x.csv')`,
    `select getenv('PATH') from item`,
    `select current_setting('temp_directory') from item`,
    `select * from duckdb_settings()`,
    `select * from duckdb_tables()`,
    `select * from information_schema.tables`,
    `select * from _htap_state.state`,
    `select * from query('select 42')`,
    `select * from query_table('item')`,
    `attach '${secret}.duckdb' as other (type duckdb)`,
    `copy (select 1) to '${secret}.out'`,
    `copy item to '${secret}.out'`,
    `export database '${secret}.out'`,
    `install httpfs`,
    `load httpfs`,
    `set enable_external_access = true`,
    `select 1; copy (select 1) to '${secret}.out'`,
  ]

  it.each(attempts)('should not run %s', async (text) => {
    const { db } = openApp()
    await sql`create table item(id integer primary key, v text)`.execute(db)
    await sql`insert into item values (1, 'one'), (2, 'two')`.execute(db)
    await olap(db.selectFrom('item').select((eb) => eb.fn.countAll().as('n'))).execute()
    const before = readdirSync(dirname(secret))
    // SQLite knows no such function, table or statement, and it is asked first.
    await expect(sql.raw(text).execute(db)).rejects.toThrow()
    await expect(olap(sql.raw(text)).execute(db)).rejects.toThrow()
    await expect(htap(db).arrow({ compile: () => sql.raw(text).compile(db) })).rejects.toThrow()
    expect(readdirSync(dirname(secret))).toEqual(before)
  })

  it('should not run what SQLite has under a name that DuckDB gives another meaning', async () => {
    const { db } = openApp()
    await sql.raw(`create table "${secret}"(word text)`).execute(db)
    await sql.raw(`insert into "${secret}" values ('from SQLite')`).execute(db)
    const { rows } = await olap(sql.raw(`select * from "${secret}"`)).execute(db)
    expect(rows).toEqual([{ word: 'from SQLite' }])
  })
})

describe('the column store itself', () => {
  // Were a statement of somebody else ever to reach it, these would be the second wall.
  it('should refuse files, network, extensions and settings', async () => {
    const folder = tempFolder()
    const other = join(folder, 'other.csv')
    writeFileSync(other, 'word\nhush\n')
    const store = await openDuckDbStore({
      path: join(folder, 'm.duckdb'),
      memoryLimit: '256MB',
      threads: 1,
      tempDirectory: join(folder, 'm.tmp'),
    })
    onTestFinished(() => store.close())
    await store.writer.execute('create table t(a bigint)')
    const before = readdirSync(folder).sort()
    for (const text of [
      `select * from read_csv('${other}')`,
      `select * from read_text('${other}')`,
      `select * from '${other}'`,
      `select * from glob('${folder}/*')`,
      `select * from read_csv('http://127.0.0.1:9/x.csv')`,
      `attach '${join(folder, 'other.duckdb')}' as other`,
      `copy t to '${other}'`,
      `export database '${join(folder, 'export')}'`,
      'install httpfs',
      'load httpfs',
      'set enable_external_access = true',
      'reset enable_external_access',
      'set lock_configuration = false',
      'reset lock_configuration',
      `set temp_directory = '${folder}'`,
      `set secret_directory = '${folder}'`,
      `set log_query_path = '${join(folder, 'queries.log')}'`,
      `pragma profiling_output = '${join(folder, 'profile.json')}'`,
      'set autoload_known_extensions = true',
      "set memory_limit = '100GB'",
    ]) {
      await expect(store.writer.execute(text), text).rejects.toMatchObject({ code: 'olap-failed' })
    }
    expect(readFileSync(other, 'utf8')).toBe('word\nhush\n')
    expect(readdirSync(folder).sort()).toEqual(before)
  })
})

describe.skipIf(process.platform === 'win32')('the files of the copy', () => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

  it.each([0o600, 0o640, 0o644, 0o660])(
    'should have the permissions of the database, %o',
    async (mode) => {
      const { db, path } = openApp()
      await sql`create table item(id integer primary key, v text)`.execute(db)
      chmodSync(path, mode)
      await db.destroy()
      const app = openApp(path).db
      const count = olap(app.selectFrom('item').select((eb) => eb.fn.countAll().as('n')))
      for (let round = 0; round < 3; round++) {
        await app
          .insertInto('item')
          .values({ v: `value ${round}` })
          .execute()
        expect(await count.execute()).toEqual([{ n: round + 1 }])
      }
      const names = readdirSync(dirname(path)).filter((name) => name.includes('-htap'))
      expect(names).toContain('app.db-htap.duckdb')
      expect(names).toContain('app.db-htap.duckdb.wal')
      for (const name of names.filter((it) => !it.includes('.lock'))) {
        const file = join(dirname(path), name)
        const folderMode = mode | 0o700 | ((mode & 0o444) >> 2)
        const expected = statSync(file).isDirectory() ? folderMode : mode
        expect(modeOf(file), name).toBe(expected.toString(8))
      }
    },
  )

  it('should close a copy that an earlier opening has left open to others', async () => {
    const { db, path } = openApp()
    await sql`create table item(id integer primary key, v text)`.execute(db)
    await olap(db.selectFrom('item').selectAll()).execute()
    await db.destroy()
    chmodSync(path, 0o600)
    chmodSync(`${path}-htap.duckdb`, 0o666)
    const again = openApp(path).db
    await olap(again.selectFrom('item').selectAll()).execute()
    expect(modeOf(`${path}-htap.duckdb`)).toBe('600')
  })

  it('should keep the permissions of a log that a checkpoint has begun anew', async () => {
    const folder = tempFolder()
    const path = join(folder, 'm.duckdb')
    const store = await openDuckDbStore({
      path,
      memoryLimit: '256MB',
      threads: 1,
      tempDirectory: join(folder, 'm.tmp'),
      fileMode: 0o600,
    })
    onTestFinished(() => store.close())
    await store.writer.execute('create table t(a bigint)')
    await store.writer.execute('checkpoint')
    expect(existsSync(`${path}.wal`)).toBe(false)
    await store.writer.execute('insert into t values (1)')
    expect(modeOf(`${path}.wal`)).toBe('600')
  })
})
