import type { Database } from 'better-sqlite3'
import { QueryWriter } from './query-writer.js'
import type { Random } from './random.js'
import type { RandomTable } from './random-schema.js'
import { derivedSelect } from './sources.js'

/** A few views, each over tables and over the views before it. */
export function createViews(
  db: Database,
  tables: readonly RandomTable[],
  random: Random,
): readonly RandomTable[] {
  const views: RandomTable[] = []
  for (let i = random.integer(0, 2); i > 0; i -= 1) {
    const writer = new QueryWriter(random, [...tables, ...views], 'literals')
    const derived = derivedSelect(writer)
    // One column, so that it may stand after IN.
    const isList = random.chance(0.25)
    const columns = isList ? derived.columns.slice(0, 1) : derived.columns
    const sql = isList ? `select "d0" from (${derived.sql})` : derived.sql
    const name = `view_${i}`
    try {
      db.exec(`create view "${name}" as ${writer.finish(sql).sql}`)
      db.prepare(`select * from "${name}"`)
    } catch {
      // What is wrong with it would be wrong with a statement as well, and shows there.
      continue
    }
    views.push({ name, columns, rowid: false })
  }
  return views
}
