import type { Database } from 'better-sqlite3'
import type { Random } from './random.js'
import type { RandomTable } from './random-schema.js'
import { classOf } from './random-value.js'

/** An index of any sort; none where the rows do not allow it. */
export function createIndex(db: Database, table: RandomTable, name: string, random: Random): void {
  const terms = random
    .shuffled(table.columns)
    .slice(0, random.integer(1, 3))
    .map((column) => `"${column.name}"${random.chance(0.2) ? ' desc' : ''}`)
  if (random.chance(0.08)) {
    terms[0] = expression(table, random)
  }
  const column = random.pick(table.columns)
  const condition = random.pick(['is not null', 'is not null', '> 3', "<> 'x'"])
  const where = random.chance(0.12) ? ` where "${column.name}" ${condition}` : ''
  const unique = random.chance(0.15) ? 'unique ' : ''
  try {
    db.exec(`create ${unique}index "${name}" on "${table.name}" (${terms.join(', ')})${where}`)
  } catch {
    // The rows are not unique.
  }
}

function expression(table: RandomTable, random: Random): string {
  const column = random.pick(table.columns)
  return classOf(column.kind) === 'number'
    ? `("${column.name}" + 1)`
    : `lower("${column.name}")${random.chance(0.2) ? ' collate nocase' : ''}`
}
