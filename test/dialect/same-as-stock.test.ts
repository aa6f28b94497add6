import Database from 'better-sqlite3'
import { CompiledQuery, Kysely, SqliteDialect } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapDialect } from '../../dist/dialect/index.js'
import { temporaryFile } from './shop.js'

const reads: readonly (readonly [string, ...unknown[]])[] = [
  ['select * from big where id = ?', 7],
  ['select * from big where id in (?, ?, ?)', 3, 1, 2],
  ['select * from big where code = ?', 'c77'],
  ['select * from big where n > ? and n < ?', 100.5, 120n],
  ['select * from big where data = ?', Buffer.from([77])],
  ['select count(*) as n, sum(n), avg(n), total(n), group_concat(code) from big where id < 50'],
  ['select id % 7 as k, count(*), min(code), max(data) from big group by id % 7'],
  ['select id % 3 as k, sum(n) as s from big group by 1 having s > ? order by s desc', 5],
  ['select a.id, b.code from big as a join big as b on b.id = a.id + 1 where a.n < 50'],
  ['select a.*, b.* from big as a join small as b on b.id = a.id'],
  ['select id, row_number() over (partition by id % 5 order by n desc) as r from big limit 99'],
  [
    'with recursive c(x) as (select 1 union all select x + 1 from c where x < 50000) select sum(x) from c',
  ],
  ['select id from big where id < 5 union select id from small except select 2 intersect select 3'],
  ['select distinct n % 10 as d from big'],
  ['select value, key from json_each(?)', '[1, 2.5, "a", null, true]'],
  ['select big.id, j.value from big, json_each(big.doc) as j where big.n > 4900'],
  [`select doc -> '$.a' as x, doc ->> '$.a' as y, json_type(doc) as z from big where n > 4990`],
  ['select * from seen where twice > 9990'],
  ['select name, type from pragma_table_info(?)', 'big'],
  // The mirror's own tables stand there as well, once the reads above have made it worth while.
  ["select name from sqlite_master where name not like '%~_htap~_%' escape '~' order by name"],
  ['select exists (select 1 from big where n = ?) as e', 4999],
  ['select (select max(n) from big b where b.id < a.id) as m from big a where a.id < 20'],
  ['select 1 as "a", 2 as "a", 3 as "A", 4 as "1", 5 as "__proto__"'],
  [`select 'x' || char(0) || 'y' as t, x'00ff' as b, 9e999 as i, -0.0 as z, null as n`],
  ['select 9007199254740993 as huge, n from big where n > 4998'],
  [`select * from big where code like 'C1%' and code glob 'c1*' order by code collate nocase`],
  ['select * from find where find match ?', 'hello'],
  ['values (1, ?), (2, ?)', 'x', null],
  ['select typeof(?) as t, ? + 1 as u', 5, 6n],
  ['select changes() as c, total_changes() as t, last_insert_rowid() as l from big limit 1'],
  ['select nothing_such from big'],
  ['select * from nothing_such'],
  ['select abs(-9223372036854775808 + id - id) from big'],
  [`select json(code) from big`],
  ['select * from big where id = ?'],
  ['select * from big where id = ?', 1, 2],
  ['select * from big where id = ?', true],
  ['select * from big where id = ?', undefined],
  ['select * from big where id = ?', new Date(0)],
  ['select 1; select 2'],
  ['selec 1'],
  [''],
  ['explain query plan select * from big where n = 3'],
]

function openDatabase(): Database.Database {
  const database = new Database(temporaryFile())
  database.pragma('journal_mode = wal')
  database.exec(`
    create table big (id integer primary key, code text unique, n real, data blob, doc text);
    create table small (id integer primary key, note text);
    create view seen as select id, n * 2 as twice from big;
    create virtual table find using fts5 (body);
    insert into find values ('hello world'), ('other');
    insert into small values (1, 'one'), (3, 'three');
    with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000)
    insert into big select x, 'c' || x, x - 0.5, cast(char(x % 128) as blob),
      json_object('a', x, 'b', json_array(x, 'y')) from c`)
  return database
}

function open(create: (database: Database.Database) => SqliteDialect | HtapDialect) {
  const db = new Kysely<unknown>({ dialect: create(openDatabase()) })
  onTestFinished(() => db.destroy())
  return db
}

/** What a caller can see of an answer: rows with their classes and key order, or the error. */
async function outcome(
  db: Kysely<unknown>,
  [text, ...parameters]: readonly [string, ...unknown[]],
) {
  try {
    const { rows, ...rest } = await db.executeQuery(CompiledQuery.raw(text, parameters))
    const entries = rows.map((row) => Object.entries(row as object))
    return { entries, buffers: JSON.stringify(rows).includes('"Buffer"'), rest }
  } catch (error) {
    const { name, message, code } = error as { name: string; message: string; code?: string }
    return { name, message, code, isSqlite: error instanceof Database.SqliteError }
  }
}

describe('every read answers as with SqliteDialect', () => {
  const openBoth = () => [
    open((database) => new SqliteDialect({ database })),
    open((database) => new HtapDialect({ database })),
  ]

  it('when nothing else goes on, again and again', async () => {
    const [stock, htap] = openBoth()
    for (let round = 0; round < 5; round += 1) {
      for (const read of reads) {
        expect([read[0], await outcome(htap!, read)]).toEqual([
          read[0],
          await outcome(stock!, read),
        ])
      }
    }
  })

  it('while a transaction is open', { timeout: 30_000 }, async () => {
    const [stock, htap] = openBoth()
    // These ask about the connection or are no plain reads, so they wait for the transaction.
    const waits = /changes\(|^explain|pragma_|^$|nothing_such|selec 1|select 2/
    await htap!.transaction().execute(async (trx) => {
      await trx.executeQuery(CompiledQuery.raw(`insert into small values (2, 'uncommitted')`))
      for (let round = 0; round < 5; round += 1) {
        for (const read of reads.filter(
          ([text, ...rest]) => !waits.test(text) && fits(text, rest),
        )) {
          expect([read[0], await outcome(htap!, read)]).toEqual([
            read[0],
            await outcome(stock!, read),
          ])
        }
      }
    })
  })
})

/** Parameters that better-sqlite3 accepts for this statement. */
function fits(text: string, parameters: readonly unknown[]): boolean {
  const count = text.split('?').length - 1
  const allowed = (it: unknown) =>
    it === null || Buffer.isBuffer(it) || ['number', 'string', 'bigint'].includes(typeof it)
  return count === parameters.length && parameters.every(allowed)
}
