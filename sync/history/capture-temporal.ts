import { listTableNames, readTableShape } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { installChangeLog } from '../capture/change-log.js'
import {
  installHistoryLog,
  markTemporal,
  readTemporalTables,
  refuseHistory,
  unmarkTemporal,
} from '../capture/history-log.js'
import { ensureRowidLife, hasLooseRowids } from '../capture/rowid-life.js'
import { noteSchema } from '../capture/schema-notes.js'
import { captureTable } from '../capture/table-capture.js'
import { refuseCapture } from '../capture/triggers.js'

/** Which tables are to have a history. */
export interface TemporalTables {
  /** Beside those that have one already. */
  readonly tables: 'all' | readonly string[]
  /** Tables that are to have none any more; what there is stays. */
  readonly except: readonly string[]
  /** Folded names that a table with history may not have for its columns. */
  readonly reserved: ReadonlySet<string>
}

/**
 * Makes sure that every temporal table is captured as it is now, and notes the schema. Must run inside a
 * write transaction of the source, the application's own perhaps.
 *
 * @returns tables that cannot be temporal, and why
 */
export function captureTemporalTables(
  database: SqliteDatabase,
  { tables, except, reserved }: TemporalTables,
): ReadonlyMap<string, string> {
  installChangeLog(database)
  installHistoryLog(database)
  for (const name of tables === 'all' ? listTableNames(database) : tables) {
    markTemporal(database, name)
  }
  for (const name of except) {
    unmarkTemporal(database, name)
  }
  const refused = new Map<string, string>()
  for (const name of readTemporalTables(database)) {
    const reason = captureTemporal(database, name, reserved)
    if (reason !== null) {
      refused.set(name, reason)
    }
  }
  noteSchema(database)
  return refused
}

/** Why the table cannot be temporal; null where it is captured. */
function captureTemporal(
  database: SqliteDatabase,
  name: string,
  reserved: ReadonlySet<string>,
): string | null {
  const shape = readTableShape(database, name)
  if ('refused' in shape) {
    return shape.refused
  }
  const reason = refuseCapture(shape) ?? refuseHistory(shape, reserved)
  if (reason === null) {
    captureTable(database, shape)
    if (hasLooseRowids(shape)) {
      ensureRowidLife(database)
    }
  } else {
    unmarkTemporal(database, name)
  }
  return reason
}
