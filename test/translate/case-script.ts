import type { Database } from 'better-sqlite3'
import { tokenize } from '../../dist/dialect/translate/parse/tokenize.js'
import type { BothEngines, Outcome } from './both-engines.js'
import type { Random } from './random/random.js'

/** A database as SQL that makes it, in pieces that can be left out. */
export interface DatabaseScript {
  readonly tables: readonly TableScript[]
  readonly indexes: readonly string[]
  readonly views: readonly string[]
  readonly isAnalyzed: boolean
  /** The application reads integers as bigint. */
  readonly hasSafeIntegers: boolean
}

export interface TableScript {
  readonly name: string
  /** Definitions of columns and constraints. */
  readonly parts: readonly string[]
  readonly options: string
  /** Columns that take values. */
  readonly columns: readonly string[]
  /** Literals, one a column. */
  readonly rows: readonly (readonly string[])[]
}

/** A database and a statement about which the engines disagree. */
export interface CaseScript {
  readonly database: DatabaseScript
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export function scriptOf(db: Database): DatabaseScript {
  const texts = (type: string) =>
    db
      .prepare(
        "select sql from sqlite_schema where type = ? and sql is not null and name not like 'sqlite_%' order by rowid",
      )
      .pluck()
      .all(type) as string[]
  const names = db
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .pluck()
    .all() as string[]
  const isAnalyzed = db
    .prepare("select count(*) from sqlite_schema where name = 'sqlite_stat1'")
    .pluck()
    .get()
  return {
    tables: names.map((name) => tableScript(db, name)),
    indexes: texts('index'),
    views: texts('view'),
    isAnalyzed: Number(isAnalyzed) > 0,
    hasSafeIntegers: typeof isAnalyzed === 'bigint',
  }
}

function tableScript(db: Database, name: string): TableScript {
  const sql = db.prepare('select sql from sqlite_schema where name = ?').pluck().get(name) as string
  const columns = db
    .prepare('select name from pragma_table_xinfo(?) where hidden = 0')
    .pluck()
    .all(name) as string[]
  const rows = db
    .prepare(`select ${columns.map((column) => `"${column}"`).join(', ')} from "${name}"`)
    .raw()
    .safeIntegers()
    .all() as unknown[][]
  return { name, columns, rows: rows.map((row) => row.map(storedLiteral)), ...bodyOf(sql) }
}

/** What stands between the outer parentheses, divided at its commas, and what follows. */
function bodyOf(sql: string): { readonly parts: readonly string[]; readonly options: string } {
  const parts: string[] = []
  let depth = 0
  let start = 0
  let end = sql.length
  for (const token of tokenize(sql) ?? []) {
    if (token.value === '(' && token.kind === 'operator') {
      depth += 1
      start = depth === 1 ? token.end : start
    } else if (token.kind === 'operator' && (token.value === ')' || token.value === ',')) {
      if (depth === 1) {
        parts.push(sql.slice(start, token.start).trim())
        start = token.end
        end = token.end
      }
      depth -= token.value === ')' ? 1 : 0
    }
  }
  return { parts, options: sql.slice(end).trim() }
}

/** A literal that is stored again as the class that it was read as. */
function storedLiteral(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return value === -(2n ** 63n) ? '(-9223372036854775807 - 1)' : String(value)
    case 'number':
      return realLiteral(value)
    case 'string':
      return textLiteral(value)
    default:
      return value === null ? 'null' : `x'${(value as Buffer).toString('hex')}'`
  }
}

function realLiteral(value: number): string {
  if (!Number.isFinite(value)) {
    return value < 0 ? '-9e999' : '9e999'
  }
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

function textLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes('\0') ? `cast(x'${Buffer.from(value).toString('hex')}' as text)` : quoted
}

/** The statements that make the database. */
export function statementsOf({ tables, indexes, views, isAnalyzed }: DatabaseScript): string[] {
  const create = tables.flatMap(({ name, parts, options, columns, rows }) => [
    `create table "${name}" (${parts.join(', ')}) ${options}`.trim(),
    ...(rows.length === 0 || columns.length === 0
      ? []
      : [
          `insert into "${name}" (${columns.map((column) => `"${column}"`).join(', ')}) values\n  ${rows.map((row) => `(${row.join(', ')})`).join(',\n  ')}`,
        ]),
  ])
  return [...create, ...indexes, ...views, ...(isAnalyzed ? ['analyze'] : [])]
}

/** Puts the database in the place of the one before. */
export async function loadScript(
  engines: BothEngines,
  script: DatabaseScript,
  random: Random,
): Promise<void> {
  const db = engines.reset()
  db.exec(statementsOf(script).join(';\n'))
  db.defaultSafeIntegers(script.hasSafeIntegers)
  await engines.copy(random)
}

/** Everything that somebody needs to see the difference again. */
export function printCase(
  { database, sql, parameters }: CaseScript,
  outcome: Extract<Outcome, { kind: 'different' }>,
): string {
  return [
    ...statementsOf(database).map((statement) => `${statement};`),
    `${sql};`,
    ...(database.hasSafeIntegers ? ['-- with defaultSafeIntegers()'] : []),
    `-- parameters ${show(parameters)}`,
    `-- sqlite     ${show(outcome.sqlite)}`,
    `-- duckdb     ${show(outcome.duck)}`,
    `-- duckdb sql ${outcome.duckSql}`,
  ].join('\n')
}

export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') {
      return `${inner}n`
    }
    return Object.is(inner, -0) || (typeof inner === 'number' && !Number.isFinite(inner))
      ? `number ${Object.is(inner, -0) ? '-0' : inner}`
      : inner
  })
  return text.slice(0, 1500)
}
