import type Database from 'better-sqlite3'
import type { Random } from '../../translate/random/random.js'

/** One step of a script: who does what. */
export interface Step {
  readonly maker: 'kysely' | 'other'
  readonly sql: string
  /** Queries are under way while the step happens. */
  readonly isBeside: boolean
}

const names = ['t0', 't1', 't2', 't3']

const shapes = [
  'id integer primary key, a integer, b text, c real',
  'id integer primary key autoincrement, a, b text unique',
  'a integer, b text',
  'id text primary key, a integer, b text',
  'a integer, b text, c, primary key (a, b)',
]

const keyed = ['id text primary key, a integer', 'a integer, b text, c real, primary key (b, a)']

/** The next step, made from what the database holds now; it may fail, as statements do. */
export function randomStep(random: Random, database: Database.Database): Step {
  const maker = random.chance(0.5) ? 'kysely' : 'other'
  const isTransaction = random.chance(0.25)
  const sql = isTransaction ? transaction(random, database) : statement(random, database)
  return { maker, sql, isBeside: random.chance(0.5) }
}

function transaction(random: Random, database: Database.Database): string {
  const steps = Array.from({ length: random.integer(1, 4) }, () => statement(random, database))
  const body = steps.filter((sql) => !/vacuum|begin;/.test(sql))
  return ['begin', ...body, random.chance(0.3) ? 'rollback' : 'commit'].join('; ')
}

function statement(random: Random, database: Database.Database): string {
  const tables = tablesOf(database)
  if (tables.length === 0) {
    return createTable(random, names[0]!)
  }
  const table = random.pick(tables)
  return random.chance(0.55)
    ? write(random, table, columnsOf(database, table))
    : change(random, table, columnsOf(database, table), tables)
}

function write(random: Random, table: string, columns: readonly Column[]): string {
  const names = columns.map((it) => it.name)
  const settable = columns.filter((it) => !it.isGenerated).map((it) => it.name)
  const any = random.pick(settable)
  const rows = random.pick([1, 3, 40, 400])
  const values = settable.map((name) => randomValue(random, name))
  switch (random.weighted({ insert: 5, update: 4, remove: 2, replace: 2, empty: 0.3 })) {
    case 'insert':
      return `insert or ignore into ${table}(${settable.join(', ')})
        with recursive s(v) as (select 1 union all select v + 1 from s where v < ${rows})
        select ${values.join(', ')} from s`
    case 'update':
      return `update or ignore ${table} set ${any} = ${randomValue(random, any).replaceAll('v', names[0]!)}
        where ${condition(random, random.pick(names))}`
    case 'remove':
      return `delete from ${table} where ${condition(random, random.pick(names))}`
    case 'replace':
      return `insert or replace into ${table}(${settable.join(', ')})
        with recursive s(v) as (select 1 union all select v + 1 from s where v < ${random.integer(1, 9)})
        select ${values.join(', ')} from s`
    case 'empty':
      return `delete from ${table}`
  }
}

/** An expression over `v`, a small number. */
function randomValue(random: Random, column: string): string {
  const shift = random.integer(0, 900)
  return /^(b|id)$/.test(column) && random.chance(column === 'b' ? 0.9 : 0.2)
    ? `'w' || (v + ${shift})`
    : random.pick([`v + ${shift}`, `v * ${random.integer(1, 5)}`, 'v / 4.0', 'null'])
}

function condition(random: Random, column: string): string {
  return random.pick([
    `${column} > ${random.integer(0, 900)}`,
    `${column} like '%${random.integer(0, 9)}'`,
    `${column} is null`,
    `length(${column}) = ${random.integer(1, 3)}`,
  ])
}

function change(
  random: Random,
  table: string,
  columns: readonly Column[],
  tables: readonly string[],
): string {
  const column = random.pick(columns).name
  const fresh = `x${random.integer(0, 9)}`
  const free = names.find((name) => !tables.includes(name)) ?? names[3]!
  switch (
    random.weighted({
      create: 3,
      drop: 1,
      again: 1.5,
      add: 3,
      dropColumn: 2,
      renameColumn: 2,
      rename: 1.5,
      swap: 1,
      rebuild: 2,
      index: 2,
      view: 1,
      trigger: 1,
      generated: 1,
      vacuum: 1.5,
      log: 0.2,
    })
  ) {
    case 'create':
      return createTable(random, free)
    case 'drop':
      return `drop table ${table}`
    case 'again':
      return `create table again as select * from ${table} limit 5; drop table ${table};
        alter table again rename to ${table}`
    case 'add':
      return `alter table ${table} add column ${fresh} ${random.pick(["text default 'd'", 'default (7)', 'integer', 'real not null default 1.5'])}`
    case 'dropColumn':
      return `alter table ${table} drop column ${column}`
    case 'renameColumn':
      return `alter table ${table} rename column ${column} to ${fresh}`
    case 'rename':
      return `alter table ${table} rename to ${free}`
    case 'swap':
      return `alter table ${table} rename to swap; alter table ${random.pick(tables)} rename to ${table}; alter table swap rename to ${free}`
    case 'rebuild':
      return `begin; create table made(${columns.map((it) => it.name).join(', ')});
        insert into made select * from ${table}; drop table ${table};
        alter table made rename to ${table}; commit`
    case 'index':
      return random.pick([
        `create index i${random.integer(0, 3)} on ${table}(${column})`,
        `create unique index i${random.integer(0, 3)} on ${table}(${column})`,
        `drop index i${random.integer(0, 3)}`,
      ])
    case 'view':
      return random.pick([
        `create view v as select count(*) as n, min(${column}) as m from ${table}`,
        'drop view v',
      ])
    case 'trigger':
      return random.pick([
        `create trigger own after update on ${table} begin delete from ${table} where ${column} is null; end`,
        'drop trigger own',
      ])
    case 'generated':
      return `alter table ${table} add column g${random.integer(0, 3)} as (${column} || '!')`
    case 'vacuum':
      return 'vacuum'
    case 'log':
      return 'delete from _htap_log'
  }
}

function createTable(random: Random, name: string): string {
  return random.chance(0.3)
    ? `create table ${name}(${random.pick(keyed)}) without rowid`
    : `create table ${name}(${random.pick(shapes)})`
}

export function tablesOf(database: Database.Database): string[] {
  return database
    .prepare("select name from sqlite_schema where type = 'table' and name glob 't[0-9]'")
    .pluck()
    .all() as string[]
}

interface Column {
  readonly name: string
  readonly isGenerated: boolean
}

function columnsOf(database: Database.Database, table: string): Column[] {
  const rows = database.prepare(`pragma table_xinfo(${table})`).all() as {
    name: string
    hidden: number
  }[]
  return rows.map(({ name, hidden }) => ({ name, isGenerated: hidden !== 0 }))
}
