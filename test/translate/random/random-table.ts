import type { Database } from 'better-sqlite3'
import type { Random } from './random.js'
import type { RandomColumn, RandomTable } from './random-schema.js'
import { extremeReal, randomValue, type ValueKind } from './random-value.js'

const declared: Readonly<Record<ValueKind, readonly string[]>> = {
  int: ['integer', 'int', 'bigint', 'smallint', 'unsigned big int'],
  huge: ['integer', 'bigint'],
  real: ['real', 'double', 'float', 'double precision'],
  numeric: ['numeric', 'decimal(10, 2)', 'DECIMAL(10,2)'],
  bool: ['boolean', 'integer', 'BOOLEAN'],
  text: [
    ...Array<string>(8).fill('text'),
    'varchar(20)',
    'char(5)',
    'varchar(255)',
    'string',
    'text collate nocase',
  ],
  date: ['date', 'text', 'DATE', 'text'],
  datetime: ['datetime', 'text', 'timestamp', 'text'],
  unix: ['integer', 'timestamp'],
  json: ['text', 'text', 'json', 'JSON'],
  uuid: ['uuid', 'text', 'UUID'],
  blob: ['blob'],
  any: ['', 'blob'],
  mixed: ['', 'blob', 'text', 'integer', 'numeric', 'STRING', 'text collate rtrim'],
}

/** STRICT tables know six types only. */
const strictlyDeclared: Readonly<Partial<Record<ValueKind, readonly string[]>>> = {
  int: ['integer', 'int'],
  huge: ['integer'],
  real: ['real'],
  bool: ['integer'],
  text: ['text'],
  date: ['text'],
  datetime: ['text'],
  unix: ['integer'],
  json: ['text'],
  uuid: ['text'],
  blob: ['blob'],
  mixed: ['any'],
}

const kinds: Readonly<Record<ValueKind, number>> = {
  int: 7,
  huge: 0.5,
  real: 4,
  numeric: 3,
  bool: 1.5,
  text: 7,
  date: 2,
  datetime: 1.5,
  unix: 0.7,
  json: 1,
  uuid: 0.5,
  blob: 0.4,
  any: 0.4,
  mixed: 0.2,
}

type Style = 'alias' | 'rowid' | 'autoincrement' | 'descending' | 'without' | 'composite' | 'word'

const styles: Readonly<Record<Style, number>> = {
  alias: 6,
  rowid: 1.5,
  autoincrement: 1,
  descending: 0.3,
  without: 0.7,
  composite: 0.7,
  word: 0.7,
}

const keys: Readonly<Record<Style, string>> = {
  alias: '"id" integer primary key',
  rowid: '"id" integer',
  autoincrement: '"id" integer primary key autoincrement',
  descending: '"id" integer primary key desc',
  without: '"id" integer primary key',
  composite: '"id" integer',
  word: '"id" integer',
}

export function createTable(db: Database, name: string, random: Random): RandomTable {
  const style = random.weighted(styles)
  const isStrict = random.chance(0.15)
  const columns: RandomColumn[] = [{ name: 'id', kind: 'int', generated: false }]
  const parts = [keys[style]]
  for (let i = random.integer(3, 6); i > 0; i -= 1) {
    const wanted = random.weighted(kinds)
    const kind = isStrict && strictlyDeclared[wanted] === undefined ? 'int' : wanted
    const notNull = random.chance(0.3) ? ' not null' : ''
    const type = random.pick((isStrict ? strictlyDeclared[kind] : declared[kind]) ?? [''])
    columns.push({ name: `${kind}_${i}`, kind, generated: false })
    parts.push(`"${kind}_${i}" ${type}${notNull}`)
  }
  const hasCode = style === 'composite' || style === 'word'
  if (hasCode) {
    columns.push({ name: 'code', kind: 'text', generated: false })
    parts.push('"code" text not null')
  }
  if (random.chance(0.2)) {
    addGenerated(columns, parts, random)
  }
  if (hasCode) {
    parts.push(`primary key (${style === 'composite' ? '"code", "id"' : '"code"'})`)
  }
  const isRowid = style !== 'without' && style !== 'composite'
  const options = [...(isRowid ? [] : ['without rowid']), ...(isStrict ? ['strict'] : [])]
  db.exec(`create table "${name}" (${parts.join(', ')}) ${options.join(', ')}`)
  return { name, columns, rowid: isRowid }
}

function addGenerated(columns: RandomColumn[], parts: string[], random: Random): void {
  const of = random.pick(columns)
  const kept = random.pick(['virtual', 'stored'])
  if (['int', 'real', 'numeric', 'bool', 'unix'].includes(of.kind)) {
    columns.push({ name: 'made', kind: of.kind === 'int' ? 'int' : 'numeric', generated: true })
    const type = of.kind === 'int' ? 'integer' : 'real'
    parts.push(`"made" ${type} generated always as ("${of.name}" * 2 + 1) ${kept}`)
  } else if (of.kind === 'text') {
    columns.push({ name: 'made', kind: 'text', generated: true })
    parts.push(`"made" text as (lower("${of.name}")) ${kept}`)
  }
}

export function fillTable(db: Database, table: RandomTable, count: number, random: Random): void {
  const columns = table.columns.filter((column) => !column.generated)
  const names = columns.map((column) => `"${column.name}"`).join(', ')
  const marks = columns.map(() => '?').join(', ')
  const insert = db.prepare(`insert or ignore into "${table.name}" (${names}) values (${marks})`)
  const nullShare = random.pick([0, 0.1, 0.3])
  const isExtreme = random.chance(0.1)
  const ids = random.shuffled(Array.from({ length: count * 2 }, (_, i) => i + 1))
  for (let row = 0; row < count; row += 1) {
    const values = columns.map(({ name, kind }) => {
      if (name === 'id') {
        return BigInt(ids[row]!)
      }
      if (name !== 'code' && random.chance(nullShare)) {
        return null
      }
      return isExtreme && kind === 'real' && random.chance(0.3)
        ? extremeReal(random)
        : randomValue(kind, random)
    })
    try {
      insert.run(...values)
    } catch {
      // A STRICT table refuses a value, or a generated column overflows: the row is not there.
    }
  }
}
