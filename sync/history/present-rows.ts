import { limits } from '../../src/core/limits.js'
import { readSchemaVersion } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { MirroredTable } from '../apply/mirrored-table.js'
import { isSamePlace, type LogPlace } from '../capture/log-place.js'
import { hasLooseRowids } from '../capture/rowid-life.js'
import type { CopiedVersions } from './copied-versions.js'
import { readHistoryState } from './history-schema.js'
import { readHistoryTables, versionTable } from './history-table.js'
import { readLayouts, type TableLayout } from './table-layout.js'
import { newestVersion } from './version-range.js'

/** A table of the mirror, and what it shows: in which life of the log, how far, under which schema. */
export interface MirrorNow {
  readonly table: MirroredTable
  readonly epoch: string
  readonly place: LogPlace
  /** SQLite's number of the schema with which the table is known to agree. */
  readonly schemaVersion: number
}

/** Null for a table that has no copy that serves. */
export type FindMirror = (name: string) => MirrorNow | null

/** A table of the mirror that shows what the newest versions of the history hold. */
export interface PresentRows {
  readonly mirror: MirroredTable
  /** For each column of the mirror's table the one that holds it in `version_<id>`. */
  readonly columns: readonly string[]
  /** The newest version. Whichever of them is the last one of its row is that row in the mirror. */
  readonly newestId: number
}

/**
 * The rows of the mirror from which a copy can take the values of its new versions; null where they are
 * so few that the mirror is not worth a scan, where it does not hold them in the same form, or where it
 * stands elsewhere.
 *
 * @param findMirror for who has the column store to himself
 */
export function findPresentRows(
  history: SqliteDatabase,
  copy: CopiedVersions,
  findMirror: FindMirror,
): PresentRows | null {
  const mirror = findMirror(copy.history.name)
  if (mirror === null) {
    return null
  }
  // What is newest and the place for which it is must be read at one moment.
  history.exec('begin')
  try {
    return isAtSamePlace(history, mirror) ? rowsOf(history, copy, mirror.table) : null
  } finally {
    history.exec('commit')
  }
}

/**
 * A change that no log tells of, as one without triggers, has its version by a comparison, and shows in
 * the mirror once that knows of the schema.
 */
function isAtSamePlace(history: SqliteDatabase, mirror: MirrorNow): boolean {
  const { epoch, seq, mark } = readHistoryState(history)
  return (
    epoch === mirror.epoch &&
    mark !== null &&
    isSamePlace(mirror.place, { position: seq, mark }) &&
    readSchemaVersion(history) === mirror.schemaVersion
  )
}

/** The newest version, if the mirror is likely to show it when its turn comes; else null. */
export function findComingVersion(
  history: SqliteDatabase,
  copy: CopiedVersions,
  findMirror: FindMirror,
): number | null {
  const mirror = findMirror(copy.history.name)
  return mirror === null ? null : (rowsOf(history, copy, mirror.table)?.newestId ?? null)
}

function rowsOf(
  history: SqliteDatabase,
  copy: CopiedVersions,
  mirror: MirroredTable,
): PresentRows | null {
  const newestId = newestVersion(history, copy.history)
  const columns = isWorthwhile(newestId - copy.lastId, mirror)
    ? presentColumns(history, copy, mirror)
    : null
  return columns === null ? null : { mirror, columns, newestId }
}

/** To scan the mirror takes less time than to read so many versions. */
function isWorthwhile(versions: number, { rowCount }: MirroredTable): boolean {
  return (
    versions >= limits.versionsFromMirrorMin &&
    versions <= limits.versionsFromMirrorMax &&
    rowCount <= versions * limits.mirrorRowsPerVersionMax
  )
}

/** Null where the mirror has the table in another form, or some of the new versions may be of another. */
function presentColumns(
  history: SqliteDatabase,
  copy: CopiedVersions,
  mirror: MirroredTable,
): readonly string[] | null {
  const table = readHistoryTables(history).find(({ id }) => id === copy.history.id)
  const newest = table === undefined ? undefined : readLayouts(history, table).at(-1)
  return newest?.shape.sql === mirror.shape.sql &&
    isOfLayout(history, copy, newest) &&
    hasSameKinds(copy, mirror, newest.columns)
    ? newest.columns
    : null
}

/** All new versions come after the transaction that changed the table, which may have changed rows before. */
function isOfLayout(
  history: SqliteDatabase,
  { history: table, lastId }: CopiedVersions,
  { since }: TableLayout,
): boolean {
  const positions = history
    .prepare(
      `select (select min(position) from history.history_transaction where position >= cast(? as integer)),
         (select position from ${versionTable(table)} where id > cast(? as integer) order by id limit 1)`,
    )
    .raw()
    .safeIntegers(false)
    .get(since, lastId) as [number | null, number | null]
  const [changed, first] = positions
  return changed !== null && first !== null && first > changed
}

/** Both have what SQLite has stored, in the same kinds of columns, under keys that are integers. */
function hasSameKinds(
  copy: CopiedVersions,
  mirror: MirroredTable,
  columns: readonly string[],
): boolean {
  const { keys } = copy.history
  return (
    !hasLooseRowids(mirror.shape) &&
    !mirror.shape.columns.some(({ generated }) => generated) &&
    mirror.misfits.length === 0 &&
    copy.versions.misfits.length === 0 &&
    [...mirror.plan.keyKinds, ...keys.map((key) => copy.column(key).storage)].every(
      (kind) => kind === 'int64',
    ) &&
    columns.every((column, index) => copy.column(column).storage === mirror.storage[index])
  )
}
