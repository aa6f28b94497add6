// What may happen to a call while something fails, for the lives of `fault-sweep.mjs`.
import Database from 'better-sqlite3'
import { HtapError } from 'kysely-htap'

/** What was asked for last, to say where a life hangs. */
export const progress = { phase: '' }

/** What asks for the mirror or the past by name may be refused, with a word on what to do. */
export async function insist(check, work, mayBe = isTyped) {
  progress.phase = String(work)
  try {
    return await work()
  } catch (error) {
    check(mayBe(error), `refused without a type: ${error.stack}`)
    return undefined
  }
}

export function isTyped(error) {
  return error instanceof HtapError && error.code !== 'assertion' && error.hint !== undefined
}

/** A write may fail as SQLite lets it fail. */
export function isTypedOrOfSqlite(error) {
  return isTyped(error) || error instanceof Database.SqliteError
}
