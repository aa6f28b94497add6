import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { entryColumns, entryTable, readHistoryCaptures } from '../capture/history-log.js'
import { readHistoryState } from './history-schema.js'
import { type HistoryTable, readKnownCaptures } from './history-table.js'

/** The captures of a table whose entries may be in the source still, by their numbers. */
export function capturesOf(
  source: SqliteDatabase,
  history: SqliteDatabase,
  table: HistoryTable,
): readonly number[] {
  const owners = readOwners(history)
  return readHistoryCaptures(source)
    .map(({ id }) => id)
    .filter((id) => owners.get(id) === table.id)
}

/** The history has every change of the table, also those of a transaction that is open on `source`. */
export function isMoved(
  source: SqliteDatabase,
  history: SqliteDatabase,
  table: HistoryTable,
): boolean {
  const { seq } = readHistoryState(history)
  const owners = readOwners(history)
  return (
    readHistoryCaptures(source).every(({ id }) => owners.has(id)) &&
    capturesOf(source, history, table).every(
      (id) =>
        source
          .prepare(`select 1 from main.${entryTable(id)} where ${entryColumns.seq} > ? limit 1`)
          .get(seq) === undefined,
    )
  )
}

/** The table of the history to which each capture of the log as it is now belongs. */
function readOwners(history: SqliteDatabase): ReadonlyMap<number, number> {
  const { epoch } = readHistoryState(history)
  return new Map(readKnownCaptures(history, epoch ?? '').map(({ id, table }) => [id, table.id]))
}
