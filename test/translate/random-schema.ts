import type { Database } from 'better-sqlite3'
import type { Random } from './random.js'

export type ValueKind =
  | 'int'
  | 'huge'
  | 'real'
  | 'numeric'
  | 'text'
  | 'date'
  | 'bool'
  | 'blob'
  | 'any'

export interface RandomColumn {
  readonly name: string
  readonly kind: ValueKind
}

export interface RandomTable {
  readonly name: string
  readonly columns: readonly RandomColumn[]
  /** It has a rowid that can be named. */
  readonly rowid: boolean
}

const declared: Readonly<Record<ValueKind, readonly string[]>> = {
  int: ['integer', 'int', 'bigint'],
  huge: ['integer'],
  real: ['real', 'double'],
  numeric: ['numeric', 'decimal(10, 2)'],
  text: ['text', 'varchar(20)', 'text', 'text collate nocase'],
  date: ['date', 'text', 'datetime'],
  bool: ['boolean', 'integer'],
  blob: ['blob'],
  any: ['', 'blob'],
}

const kinds: Readonly<Record<ValueKind, number>> = {
  int: 6,
  huge: 1,
  real: 4,
  numeric: 3,
  text: 6,
  date: 2,
  bool: 2,
  blob: 0.5,
  any: 1,
}

export const words = [
  'Anna',
  'anna',
  'bob',
  'Bob',
  'Cäsar',
  'cäsar',
  'Zoë',
  'kim',
  '',
  ' x ',
  '100%',
  'a_b',
  '5',
  'K',
  '\u212a',
  '日本',
  'z\n1',
  "o'k",
  '🙂',
]

/** Makes a few tables with keys, indexes and rows of every kind. */
export function randomSchema(db: Database, random: Random): readonly RandomTable[] {
  const names = ['person', 'pet', 'order', 'log']
  return names.map((name, i) => {
    const count = random.pick([0, 1, 5, 20, 40, 80, 40, 80])
    const table = createTable(db, name, random)
    fill(db, table, count, random)
    for (let n = random.integer(0, 3); n > 0; n -= 1) {
      createIndex(db, table, `ix_${i}_${n}`, random)
    }
    return table
  })
}

export function randomValue(kind: ValueKind, random: Random): unknown {
  switch (kind) {
    case 'int':
      return BigInt(random.integer(-3, 12))
    case 'huge':
      return random.pick([1n, 5n, -7n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 62n), 2n ** 63n - 1n])
    case 'real':
      return random.pick([
        0,
        -0.5,
        random.integer(0, 9),
        random.integer(-999, 9999) / 100,
        random.integer(-999, 9999) / 1000,
        random.next() * 1000,
      ])
    case 'numeric':
      return random.pick([random.integer(-5, 20), random.integer(0, 9999) / 100])
    case 'text':
      return random.pick(words)
    case 'date':
      return `202${random.integer(0, 4)}-0${random.integer(1, 9)}-1${random.integer(0, 9)}`
    case 'bool':
      return BigInt(random.integer(0, 1))
    case 'blob':
      return Buffer.from([random.integer(0, 3), random.integer(0, 255)])
    case 'any':
      return random.chance(0.01) ? -0 : random.pick([1.5, 0, 2.25])
  }
}

function createTable(db: Database, name: string, random: Random): RandomTable {
  const style = random.weighted({ alias: 6, rowid: 2, without: 1 })
  const columns: RandomColumn[] = [{ name: 'id', kind: 'int' }]
  const key = {
    alias: '"id" integer primary key',
    rowid: '"id" integer',
    without: '"id" integer primary key',
  }[style]
  const parts = [key]
  for (let i = random.integer(3, 6); i > 0; i -= 1) {
    const kind = random.weighted(kinds)
    const column = { name: `${kind}_${i}`, kind }
    columns.push(column)
    const notNull = random.chance(0.3) ? ' not null' : ''
    const type = random.pick(declared[kind])
    parts.push(`"${column.name}" ${type}${notNull}`)
  }
  const suffix = style === 'without' ? ' without rowid' : ''
  db.exec(`create table "${name}" (${parts.join(', ')})${suffix}`)
  return { name, columns, rowid: style !== 'without' }
}

function fill(db: Database, table: RandomTable, count: number, random: Random): void {
  const marks = table.columns.map(() => '?').join(', ')
  const insert = db.prepare(`insert or ignore into "${table.name}" values (${marks})`)
  const nullShare = random.pick([0, 0.1, 0.3])
  const extreme = random.chance(0.1)
  const ids = random.shuffled(Array.from({ length: count * 2 }, (_, i) => i + 1))
  for (let row = 0; row < count; row += 1) {
    const values = table.columns.map((column, i) => {
      if (i === 0) {
        return BigInt(ids[row]!)
      }
      if (random.chance(nullShare)) {
        return null
      }
      if (extreme && column.kind === 'real' && random.chance(0.3)) {
        return random.pick([1e15, -1e15, 1e300, 1e-300, 1e-7, 123456789.125, 5e-324])
      }
      return randomValue(column.kind, random)
    })
    insert.run(...values)
  }
}

function createIndex(db: Database, table: RandomTable, name: string, random: Random): void {
  const columns = random
    .shuffled(table.columns)
    .slice(0, random.integer(1, 3))
    .map((column) => `"${column.name}"${random.chance(0.2) ? ' desc' : ''}`)
  const unique = random.chance(0.15) ? 'unique ' : ''
  try {
    db.exec(`create ${unique}index "${name}" on "${table.name}" (${columns.join(', ')})`)
  } catch {
    // The rows are not unique: no index then.
  }
}
