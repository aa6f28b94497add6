import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { installPacked } from '../support/packed-project.js'
import { sharedTempFolder } from '../support/temp-folder.js'

// The package as a user gets it: packed, unpacked into a project of its own, next to its peers.

const folder = sharedTempFolder()
let installed = ''

beforeAll(() => {
  installed = installPacked(folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

/** Runs a program in the project; it has to end by itself. */
function run(file: string, code: string): string {
  writeFileSync(join(folder, file), code)
  const result = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 40_000,
    killSignal: 'SIGKILL',
  })
  expect(result, result.stderr).toMatchObject({ status: 0, signal: null })
  return result.stdout.trim()
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const canRequireEsm = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)

describe('the packed package', () => {
  it('holds the built code, its types and the licence, and nothing else', () => {
    const names = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    const files = names.filter((name) => /\.[^/]+$|^[A-Z]+$/.test(name))
    const strange = files.filter(
      (name) =>
        !/^dist\/(?:src|sync|dialect)\/.*\.(?:js|d\.ts)$/.test(name) &&
        !/^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(name),
    )
    expect(strange).toEqual([])
    expect(files).toContain('LICENSE')
    const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string; default: string }>
    }
    expect(existsSync(join(installed, exports['.']!.default))).toBe(true)
    expect(existsSync(join(installed, exports['.']!.types))).toBe(true)
  })

  it('is imported', () => {
    const code = `import * as htap from 'kysely-htap'; console.log(Object.keys(htap).sort().join())`
    expect(run('import.mjs', code)).toBe(
      [
        ...['HtapAdapter', 'HtapDialect', 'HtapDriver', 'HtapError', 'HtapIntrospector'],
        ...['asOf', 'asOfTable', 'changes', 'diff', 'history', 'htap', 'olap', 'oltp'],
        ...['restoreTable', 'withActor', 'withConsistency'],
      ].join(),
    )
  })

  it.runIf(canRequireEsm)('is required by programs in CommonJS', () => {
    const code = `
      const { Kysely } = require('kysely')
      const { HtapDialect } = require('kysely-htap')
      const db = new Kysely({ dialect: new HtapDialect({ database: ':memory:' }) })
      db.selectNoFrom((eb) => eb.val(1).as('one')).execute().then(async (rows) => {
        console.log(JSON.stringify(rows))
        await db.destroy()
      })`
    expect(run('require.cjs', code)).toBe('[{"one":1}]')
  })

  it('has types that a strict project reads, those of its libraries included', () => {
    writeFileSync(join(folder, 'consumer.ts'), consumer)
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'ESNext.Disposable'],
          module: 'NodeNext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          types: ['node'],
          noEmit: true,
        },
        files: ['consumer.ts'],
      }),
    )
    const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  it('finds its worker files: a read on a thread, and a mirror that is copied by a worker', () => {
    expect(JSON.parse(run('workers.mjs', workers))).toEqual({
      beside: 1_000_000,
      groups: 10,
      routes: ['sqlite', 'duckdb'],
      equal: true,
    })
  })

  it('starts without DuckDB, which is loaded when a table is first copied', () => {
    const code = `
      import { HtapDialect } from 'kysely-htap'
      import { Kysely } from 'kysely'
      const db = new Kysely({ dialect: new HtapDialect({ database: ':memory:' }) })
      await db.selectNoFrom((eb) => eb.val(1).as('one')).execute()
      await db.destroy()
      console.log(process.report.getReport().sharedObjects.filter((it) => it.includes('duckdb')).length)`
    expect(run('lazy.mjs', code)).toBe('0')
  })
})

const consumer = `
  import Database from 'better-sqlite3'
  import { type Generated, Kysely } from 'kysely'
  import {
    HtapDialect, HtapError, type HtapDialectConfig, type RouteEvent, htap, olap, oltp,
    withConsistency,
  } from 'kysely-htap'

  interface Shop { item: { id: Generated<number>; price: number | null } }

  const seen: RouteEvent[] = []
  const config: HtapDialectConfig = {
    database: new Database(':memory:'),
    consistency: { maxStalenessMs: 50 },
    routing: 'auto',
    onRoute: (event) => seen.push(event),
  }
  export const db = new Kysely<Shop>({ dialect: new HtapDialect(config) })
  export const byPath = new HtapDialect({ database: 'shop.db', sync: false })

  export async function report(): Promise<number | null> {
    const query = db.selectFrom('item').select((eb) => eb.fn.sum<number>('price').as('total'))
    const [row] = await olap(query).execute()
    const [same] = await oltp(withConsistency(query, 'session')).execute()
    const total: number | undefined = row?.total ?? same?.total
    try {
      const explanation = await htap(db).explain(query)
      const engine: 'sqlite' | 'duckdb' = explanation.engine
      console.log(engine, htap(db).status())
    } catch (error) {
      if (error instanceof HtapError && error.code === 'route-impossible') console.log(error.hint)
    }
    return total ?? null
  }`

const workers = `
  import Database from 'better-sqlite3'
  import { Kysely, sql } from 'kysely'
  import { HtapDialect, htap, olap } from 'kysely-htap'
  const database = new Database('workers.db')
  database.pragma('journal_mode = wal')
  database.exec(\`create table item(id integer primary key, price);
    with recursive c(x) as (select 1 union all select x + 1 from c where x < 50000)
    insert into item select x, x % 10 from c\`)
  const routes = []
  const dialect = new HtapDialect({ database, onRoute: (event) => routes.push(event.engine) })
  const db = new Kysely({ dialect })
  const { rows: [beside] } = await sql\`with recursive c(x) as (select 1 union all
    select x + 1 from c where x < 1000000) select count(*) as n from c\`.execute(db)
  const groups = await olap(
    db.selectFrom('item').select((eb) => ['price', eb.fn.countAll().as('n')]).groupBy('price'),
  ).execute()
  const { equal } = await htap(db).verify()
  await db.destroy()
  console.log(JSON.stringify({ beside: beside.n, groups: groups.length, routes, equal }))`
