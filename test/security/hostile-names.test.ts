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

/** Some of them: a key goes the same way as any name but for triggers and change log. */
const keyNames = names.filter((_, index) => index % 3 === 0)

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

/** Waits until DuckDB answers for a table. */
async function mirrored(db: Kysely<DB>, table: ReturnType<typeof id>): Promise<void> {
  const query = sql`select count(*) as n from ${table}`
  const deadline = Date.now() + 30_000
  while (!(await isSame(db, query))) {
    expect(Date.now()).toBeLessThan(deadline)
  }
}

/** As SQLite answers, or as it refuses; false where DuckDB is not proven to answer so. */
async function isSame(db: Kysely<DB>, query: ReturnType<typeof sql>): Promise<boolean> {
  const outcome = (target: typeof query) =>
    target.execute(db).then(
      ({ rows }) => rows,
      (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
    )
  const answer = await outcome(olap(query))
  if (answer === 'route-impossible') {
    return false
  }
  expect(answer, query.compile(db).sql).toEqual(await outcome(oltp(query)))
  return true
}

describe('hostile names', () => {
  it('should be nothing but names', async () => {
    const db = openApp()
    await sql`create table canary(id integer primary key)`.execute(db)
    await sql`insert into canary values (1)`.execute(db)
    for (const name of names) {
      const table = id(name)
      const column = id(`column ${name}`)
      const added = id(`added ${name}`)
      await sql`create table ${table}(id integer primary key, ${column} text unique, n integer)`.execute(
        db,
      )
      await sql`create index ${id(`index ${name}`)} on ${table}(n)`.execute(db)
      await sql`insert into ${table} values (1, ${name}, 1), (2, 'two', 2), (3, null, 2)`.execute(
        db,
      )
      await sql`alter table ${table} add column ${added} text default ${sql.lit(name)}`.execute(db)
      await mirrored(db, table)
      await sql`replace into ${table}(id, ${column}, n) values (9, 'two', 7)`.execute(db)
      await sql`update ${table} set id = 20 where id = 1`.execute(db)
      const rows = await expectSame(
        db,
        sql`select ${column}, max(n) as ${id(`alias ${name}`)}, count(${added}) from ${table} as ${id(`t ${name}`)}
          where ${column} = ${name} or ${column} like ${`${name}%`} group by ${column} order by 1`,
      )
      expect(rows, name).toHaveLength(1)
      expect(Object.values(rows[0] as object), name).toContain(name)
    }
    const { tables } = await htap(db).verify()
    expect(tables.map((it) => it.table).sort()).toEqual([...names].sort())
    expect(tables.filter((it) => !it.equal)).toEqual([])
    for (const name of names) {
      await sql`drop table ${id(name)}`.execute(db)
    }
    expect(await expectSame(db, sql`select count(*) as n from canary`)).toEqual([{ n: 1 }])
  })

  it('should be nothing but keys', async () => {
    const db = openApp()
    for (const [index, name] of keyNames.entries()) {
      const key = id(name)
      const table = id(`pair${index}`)
      await sql`create table ${table}(${key} text, b integer, v text, primary key (${key}, b)) without rowid`.execute(
        db,
      )
      await sql`insert into ${table} values (${name}, 1, ${name}), ('other', 2, 'x')`.execute(db)
      await mirrored(db, table)
      await sql`update ${table} set ${key} = ${`${name}!`} where b = 1`.execute(db)
      await sql`delete from ${table} where b = 2`.execute(db)
      const rows = await expectSame(
        db,
        sql`select ${key} as k, count(*) as n from ${table} group by 1`,
      )
      expect(rows, name).toEqual([{ k: `${name}!`, n: 1 }])
    }
    const { equal, tables } = await htap(db).verify()
    expect({ equal, count: tables.length }).toEqual({ equal: true, count: keyNames.length })
  })
})

describe('hostile values', () => {
  const values = [...names, '\\', '\\0', "''", '%', '_', '*?[a', '\u202e', '\uffff']
  /** SQLite keeps no such text as it is, so hardly a comparison with it is proven equal. */
  const doubtful = ['nul \u0000 inside', '\uD800 lone']

  it.each([
    ['', values, 0.5],
    [', broken ones', [...values.slice(0, 5), ...doubtful], 0],
  ])('should be nothing but values%s', async (_, bodies, share) => {
    const db = openApp()
    await sql`create table note(id integer primary key, body text)`.execute(db)
    await db
      .insertInto('note')
      .values(bodies.map((body) => ({ body })))
      .execute()
    await mirrored(db, id('note'))
    const asked = { count: 0, answered: 0 }
    for (const body of bodies) {
      const conditions = [
        sql`body = ${body}`,
        sql`body like ${body}`,
        sql`body glob ${body}`,
        sql`instr(body, ${body}) > 0`,
        // A zero ends a statement's text in SQLite, so it cannot stand in a literal.
        ...(body.includes('\u0000') ? [] : [sql`body = ${sql.lit(body)}`]),
      ]
      for (const condition of conditions) {
        asked.count++
        const query = sql`select count(*) as n from note where ${condition}`
        asked.answered += (await isSame(db, query)) ? 1 : 0
      }
    }
    expect(asked.answered).toBeGreaterThanOrEqual(asked.count * share)
    expect((await htap(db).verify()).equal).toBe(true)
  })

  it('should be answered as SQLite does where they are no plain text', async () => {
    const db = openApp()
    const calls = ['length', 'octet_length', 'hex', 'upper', 'trim', 'unicode', 'quote', 'typeof']
    const expressions = [
      ...calls.map((name) => `${name}(body)`),
      'body',
      'substr(body, 2, 2)',
      `instr(body, 'n')`,
      `replace(body, 'n', 'm')`,
      `body like '_ l%'`,
      `body glob '? l*'`,
      `body || 'x'`,
      'cast(body as integer)',
      'cast(body as blob)',
      `length(coalesce(body, 'x'))`,
      `length(case when id > 0 then body else 'x' end)`,
      'length(max(body, body))',
      `length(body || 'x')`,
    ]
    const asked = { count: 0, answered: 0 }
    for (const [index, body] of doubtful.entries()) {
      const table = id(`note${index}`)
      await sql`create table ${table}(id integer primary key, body text)`.execute(db)
      await sql`insert into ${table}(body) values ('plain'), (${body})`.execute(db)
      await mirrored(db, table)
      for (const expression of expressions) {
        const it = sql.raw(expression)
        asked.count++
        asked.answered += (await isSame(db, sql`select ${it} as v from ${table} order by id`))
          ? 1
          : 0
        await isSame(
          db,
          sql`select length(v) as n from (select body as v from ${table}) order by 1`,
        )
        await isSame(db, sql`select count(*) as n from ${table} where ${it} = ${it}`)
      }
    }
    // Given out as it is, such a text needs no SQLite.
    expect(asked.answered).toBeGreaterThan(1)
  })

  it('should be nothing but JSON paths', async () => {
    const db = openApp()
    await sql`create table doc(id integer primary key, body text)`.execute(db)
    await db
      .insertInto('doc')
      .values(values.map((name) => ({ body: JSON.stringify({ [name]: { inner: [name, 1] } }) })))
      .execute()
    await mirrored(db, id('doc'))
    const asked = { count: 0, answered: 0 }
    for (const name of values) {
      for (const path of [`$.${name}`, `$."${name}"`, `$."${name}".inner[0]`, `$[${name}]`]) {
        asked.count++
        const query = sql`select count(json_extract(body, ${sql.lit(path)})) as n from doc`
        asked.answered += (await isSame(db, query)) ? 1 : 0
      }
    }
    expect(asked.answered).toBeGreaterThanOrEqual(2)
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
    await mirrored(db, id('item'))
    await mirrored(db, id('pair'))
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
    // Rows of table 0 are marks and belong to no change.
    const { rows: keys } = await sql<{
      k: unknown
    }>`select distinct k from _htap_log where tbl <> 0`.execute(db)
    expect(keys.map((it) => it.k).sort()).toEqual([1, 2, 'key'])
  })
})
