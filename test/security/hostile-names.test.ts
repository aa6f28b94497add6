import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapDialect, htap, olap, oltp } from '../../dist/dialect/index.js'
import { tempFolder } from '../support/temp-folder.js'

// Names and values as an attacker would choose them, on their whole way: triggers, change log, copy,
// changes, schema changes, queries of both engines. A table beside them must survive it all.

type DB = Record<string, Record<string, unknown>>

const names = [
  `it's`,
  `say "hi"`,
  `a"; drop table canary; --`,
  `a'; drop table canary; --`,
  `'); drop table canary; --`,
  `"); delete from canary; --`,
  `a) values (1); delete from canary; --`,
  '/* open',
  'close */ x',
  '-- comment',
  'semi;colon',
  'back\\slash',
  'new\nline',
  'tab\tand\rreturn',
  '$1',
  '?1',
  ':name',
  '%s %n',
  '`tick`',
  '[bracket]',
  'a.b.c',
  'main.canary',
  'a#1',
  'select',
  'rowid x',
  '_rowid_x',
  '__proto__',
  'constructor',
  'ünï çødé 🦆',
  'K', // the Kelvin sign folds to k outside of ASCII
  ' leading and trailing ',
  'x'.repeat(300),
]

function openApp() {
  const db = new Kysely<DB>({
    dialect: new HtapDialect({ database: join(tempFolder(), 'app.db'), routing: 'duckdb' }),
  })
  onTestFinished(() => db.destroy())
  return db
}

/** Identifiers as they are: Kysely's own parser would take a dot or ` as ` apart. */
const id = sql.id

async function expectSame(db: Kysely<DB>, query: ReturnType<typeof sql>): Promise<unknown[]> {
  const { rows } = await olap(query).execute(db)
  expect(rows).toEqual((await oltp(query).execute(db)).rows)
  return rows
}

describe('hostile names', () => {
  it.each(names)('should be nothing but a name: %j', async (name) => {
    const db = openApp()
    const table = id(name)
    const column = id(`column ${name}`)
    await sql`create table canary(id integer primary key)`.execute(db)
    await sql`insert into canary values (1)`.execute(db)
    await sql`create table ${table}(id integer primary key, ${column} text unique, n integer)`.execute(
      db,
    )
    await sql`create index ${id(`index ${name}`)} on ${table}(n)`.execute(db)
    await sql`insert into ${table} values (1, ${name}, 1), (2, 'two', 2), (3, null, 2)`.execute(db)
    await expectSame(db, sql`select * from ${table} order by id`)
    await sql`replace into ${table} values (9, 'two', 7)`.execute(db)
    await sql`update ${table} set id = 20 where id = 1`.execute(db)
    await sql`alter table ${table} add column ${id(name)} text default ${sql.lit(name)}`.execute(db)
    await htap(db).syncNow()
    const rows = await expectSame(
      db,
      sql`select ${column}, max(n) as ${id(`alias ${name}`)}, count(*) from ${table} as ${id(`t ${name}`)}
        where ${column} = ${name} or ${column} like ${`${name}%`} group by ${column} order by 1`,
    )
    expect(rows).toHaveLength(1)
    expect(Object.values(rows[0] as object)).toContain(name)
    const report = await htap(db).verify()
    expect(report.tables.find((it) => it.table === name)?.equal).toBe(true)
    await sql`drop table ${table}`.execute(db)
    expect(await expectSame(db, sql`select count(*) as n from canary`)).toEqual([{ n: 1 }])
  })

  it.each(names)('should be nothing but a key: %j', async (name) => {
    const db = openApp()
    const key = id(name)
    await sql`create table pair(${key} text, b integer, v text, primary key (${key}, b)) without rowid`.execute(
      db,
    )
    await sql`insert into pair values (${name}, 1, ${name}), ('other', 2, 'x')`.execute(db)
    await expectSame(db, sql`select * from pair order by 1, 2`)
    await sql`update pair set ${key} = ${`${name}!`} where b = 1`.execute(db)
    await sql`delete from pair where b = 2`.execute(db)
    const rows = await expectSame(db, sql`select ${key} as k, count(*) as n from pair group by 1`)
    expect(rows).toEqual([{ k: `${name}!`, n: 1 }])
    expect((await htap(db).verify()).equal).toBe(true)
  })
})

describe('hostile values', () => {
  const values = [
    ...names,
    'nul \u0000 inside',
    '\uD800 lone',
    '\\',
    '\\0',
    "''",
    '%',
    '_',
    '*?[a',
    '\u202e',
  ]

  it('should be nothing but values, as parameters, literals and patterns', async () => {
    const db = openApp()
    await sql`create table note(id integer primary key, body text)`.execute(db)
    for (const body of values) {
      await db.insertInto('note').values({ body }).execute()
    }
    await olap(db.selectFrom('note').selectAll()).execute()
    for (const body of values) {
      await db.updateTable('note').set({ body }).where('body', '=', body).execute()
      await expectSame(db, sql`select count(*) as n, max(body) as m from note where body = ${body}`)
      await expectSame(db, sql`select count(*) as n from note where body like ${body}`)
      await expectSame(db, sql`select count(*) as n from note where body glob ${body}`)
      await expectSame(db, sql`select count(*) as n from note where instr(body, ${body}) > 0`)
      if (!body.includes('\u0000')) {
        // A zero ends a statement's text in SQLite, so it cannot stand in a literal.
        await expectSame(db, sql`select count(*) as n from note where body >= ${sql.lit(body)}`)
      }
    }
    expect((await htap(db).verify()).equal).toBe(true)
  })

  it('should be nothing but JSON paths', async () => {
    const db = openApp()
    await sql`create table doc(id integer primary key, body text)`.execute(db)
    for (const name of values) {
      const body = JSON.stringify({ [name]: { inner: [name, 1] }, a: 1 })
      await db.insertInto('doc').values({ body }).execute()
    }
    await olap(db.selectFrom('doc').selectAll()).execute()
    let answered = 0
    for (const name of values) {
      for (const path of [name, `$.${name}`, `$."${name}"`, `$."${name}".inner[0]`, `$[${name}]`]) {
        const query = sql`select id, body ->> ${path} as v from doc where body ->> ${path} is not null order by id`
        const right = await oltp(query)
          .execute(db)
          .then(
            ({ rows }) => rows,
            () => 'refused',
          )
        // DuckDB may refuse; where it answers, it answers as SQLite does.
        const answer = await olap(query)
          .execute(db)
          .then(
            ({ rows }) => rows,
            () => null,
          )
        if (answer !== null) {
          answered++
          expect(answer, path).toEqual(right)
        }
      }
    }
    expect(answered).toBeGreaterThan(20)
  })
})

describe('the change log', () => {
  it('should hold keys and nothing else of the rows', async () => {
    const db = openApp()
    const secret = 'a secret that is nobody else’s business'
    await sql`create table item(id integer primary key, k text unique, body text)`.execute(db)
    await sql`create table pair(a text, b integer, v text, primary key (a, b)) without rowid`.execute(
      db,
    )
    await olap(db.selectFrom('item').selectAll()).execute()
    await olap(db.selectFrom('pair').selectAll()).execute()
    await sql`insert into item values (1, ${secret}, ${secret})`.execute(db)
    await sql`insert into pair values ('key', 1, ${secret})`.execute(db)
    await sql`update item set body = ${`${secret} again`}`.execute(db)
    await sql`replace into item values (2, ${secret}, 'x')`.execute(db)
    await sql`delete from item`.execute(db)
    const { rows } = await sql<{ name: string }>`
      select name from sqlite_schema where type = 'table' and name like '\\_htap%' escape '\\'`.execute(
      db,
    )
    expect(rows.length).toBeGreaterThan(3)
    for (const { name } of rows) {
      const content = await sql`select * from ${id(name)}`.execute(db)
      expect(JSON.stringify(content.rows), name).not.toContain(secret)
    }
    const { rows: keys } = await sql<{ k: unknown }>`select distinct k from _htap_log`.execute(db)
    expect(keys.map((it) => it.k).sort()).toEqual([1, 2, 'key'])
  })
})
