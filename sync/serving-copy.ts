import type { MirroredTable } from './apply/mirrored-table.js'
import type { LogPlace } from './capture/log-place.js'
import type { SyncEngine } from './sync-engine.js'

/** A copy of a table that serves, and what of SQLite it shows. */
interface ServingCopy {
  readonly table: MirroredTable
  /** The life of the log, and the place in it. */
  readonly epoch: string
  readonly place: LogPlace
  /** SQLite's number of the schema with which the copy is known to agree. */
  readonly schemaVersion: number
}

/** Null for a table that has no copy that serves. */
export function findServingCopy(engine: SyncEngine, name: string): ServingCopy | null {
  const { holder, tables, schema } = engine
  const mirror = holder.serving?.mirror
  const tracked = tables.find(name)
  const table = tracked?.state === 'live' ? tracked.live : null
  return mirror === undefined || table === null
    ? null
    : { table, epoch: mirror.epoch, place: mirror.place, schemaVersion: schema.version }
}
