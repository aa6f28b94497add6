import type { Database } from 'better-sqlite3'
import type { Random } from './random.js'
import { createIndex } from './random-index.js'
import { createTable, fillTable } from './random-table.js'
import type { ValueKind } from './random-value.js'
import { createViews } from './random-view.js'

export interface RandomColumn {
  readonly name: string
  readonly kind: ValueKind
  /** Computed by SQLite from other columns. */
  readonly generated: boolean
}

/** A table or a view that statements may read; its first column is a number. */
export interface RandomTable {
  readonly name: string
  readonly columns: readonly RandomColumn[]
  /** It has a rowid that can be named. */
  readonly rowid: boolean
}

/** Makes a few tables with keys, indexes and rows of every kind, and views over them. */
export function randomSchema(db: Database, random: Random): readonly RandomTable[] {
  const names = ['person', 'pet', 'order', 'log']
  const tables = names.map((name, i) => {
    const count = random.pick([0, 1, 5, 20, 40, 60, 40, 20])
    const table = createTable(db, name, random)
    fillTable(db, table, count, random)
    for (let n = random.integer(0, 3); n > 0; n -= 1) {
      createIndex(db, table, `ix_${i}_${n}`, random)
    }
    return table
  })
  const views = createViews(db, tables, random)
  if (random.chance(0.2)) {
    db.exec('analyze')
  }
  // Three times the tables: most statements read them directly.
  return [...tables, ...tables, ...tables, ...views]
}
