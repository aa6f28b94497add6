import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const path = resolve(
  process.env['KYSELY_HTAP_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/data'),
  'chinook.sqlite',
)

/** Why the sample database cannot be had here; null when it can. */
export function absenceOfChinook() {
  return existsSync(path) ? null : 'no chinook.sqlite in the data folder (KYSELY_HTAP_DATA)'
}

/** Copies tables, rows and indexes of the sample database, which has a size of its own. */
export function copyChinook(database) {
  // Rows arrive in alphabetical order of their tables, references before what they refer to.
  database.pragma('foreign_keys = off')
  database.prepare('attach ? as source').run(path)
  // In the order in which they were made, tables come before their indexes.
  const objects = database
    .prepare(
      'select type, name, sql from source.sqlite_schema where sql is not null order by rowid',
    )
    .all()
  for (const { type, name, sql } of objects) {
    database.exec(sql)
    if (type === 'table') {
      database.exec(`insert into main."${name}" select * from source."${name}"`)
    }
  }
  database.exec('detach source')
}
