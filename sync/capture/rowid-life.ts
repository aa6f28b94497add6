import { randomInt } from 'node:crypto'
import type { TableShape } from '../../src/core/table-shape.js'
import { hasTable, internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'

/**
 * VACUUM, and loading a dump, number the rows anew in tables that no INTEGER PRIMARY KEY keeps in
 * place, and no trigger tells of it. A table of ours of that kind holds one row under a large random
 * rowid, the life of all rowids: when the rows are numbered anew, this one becomes the first.
 */
const lifeTable = `${internalPrefix}rowid_life`

/** No table is ever so large that numbering anew would reach it. */
const lifeMin = 2 ** 40
const lifeMax = 2 ** 47

/** The rows of such a table are numbered anew by VACUUM. */
export function hasLooseRowids({ withoutRowid, rowidAlias }: TableShape): boolean {
  return !withoutRowid && rowidAlias === null
}

/** Must run inside a write transaction of the caller. */
export function installRowidLife(database: SqliteDatabase): void {
  database.exec(`create table if not exists main.${lifeTable}(note text)`)
}

/** Null when rows were numbered anew since the last life began, or nobody has begun one. */
export function readRowidLife(database: SqliteDatabase): number | null {
  if (!hasTable(database, lifeTable)) {
    return null
  }
  const life = database
    .prepare(`select max(rowid) from main.${lifeTable}`)
    .pluck()
    .safeIntegers(false)
    .get() as number | null
  return life !== null && life >= lifeMin ? life : null
}

/** The life that lasts, or a new one. Must run inside a write transaction of the caller. */
export function ensureRowidLife(database: SqliteDatabase): number {
  const life = readRowidLife(database)
  if (life !== null) {
    return life
  }
  installRowidLife(database)
  const next = randomInt(lifeMin, lifeMax)
  database.exec(`delete from main.${lifeTable}`)
  database
    .prepare(
      `insert into main.${lifeTable}(rowid, note) values (?, 'moves when VACUUM moves rows')`,
    )
    .run(next)
  return next
}
