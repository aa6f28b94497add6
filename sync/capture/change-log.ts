import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { uniqueId } from '../../src/core/outside-world.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'

/**
 * The change log lives in the application's own database, so that a change and its log row
 * commit together. Invariants:
 *
 * 1. `seq` grows and is never used twice: the newest row is never deleted.
 * 2. A row is deleted only when every registered consumer has passed it.
 * 3. `epoch` names one life of the log; positions of another life mean nothing.
 *
 * `_htap_log` holds keys only: the rowid in `k`, or the primary key of a WITHOUT ROWID table; if
 * that has several columns, all but the first stand under the same `seq` in `_htap_key`, so that
 * the usual row stays small. The columns have no type: a key keeps its storage class.
 */
export const changeLog = Object.freeze({
  metaTable: `${internalPrefix}meta`,
  logTable: `${internalPrefix}log`,
  keyTable: `${internalPrefix}key`,
  tableTable: `${internalPrefix}table`,
  consumerTable: `${internalPrefix}consumer`,
})

/** Raised when the tables below change their meaning. */
const layoutVersion = 1

/** Names of the log's key columns, `count` of them. */
export function logKeyColumns(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? 'k' : `k${index}`))
}

/**
 * Creates what is missing, and begins the log anew where an older version of this package has left it
 * in another layout. Must run inside a write transaction of the caller.
 *
 * @throws HtapError `mirror-unavailable` when a newer version has changed the layout
 */
export function installChangeLog(database: SqliteDatabase): void {
  const layout = readLogLayout(database)
  if (layout !== null && layout > layoutVersion) {
    throw new HtapError(
      'mirror-unavailable',
      'a newer version of this package keeps the change log',
      {
        hint: 'use that version in every process that opens this database',
        facts: { reason: 'newer-log', layout, layoutVersion },
      },
    )
  }
  if (layout !== null && layout < layoutVersion) {
    removeChangeLog(database)
  }
  database.exec(`
    create table if not exists ${changeLog.metaTable}(key text primary key, value) without rowid;
    create table if not exists ${changeLog.logTable}(seq integer primary key, tbl, k);
    create table if not exists ${changeLog.keyTable}(seq integer primary key, k1, k2, k3);
    create table if not exists ${changeLog.tableTable}(id integer primary key, name text not null);
    create table if not exists ${changeLog.consumerTable}(
      id text primary key, position integer not null, seen_ms integer not null) without rowid;
  `)
  database
    .prepare(`insert or ignore into ${changeLog.metaTable}(key, value) values ('epoch', ?)`)
    .run(uniqueId())
  database
    .prepare(`insert or ignore into ${changeLog.metaTable}(key, value) values ('layout', ?)`)
    .run(layoutVersion)
}

/** The layout that the log has; null if there is no log. */
function readLogLayout(database: SqliteDatabase): number | null {
  if (!hasChangeLog(database)) {
    return null
  }
  const layout = database
    .prepare(`select value from ${changeLog.metaTable} where key = 'layout'`)
    .pluck()
    .safeIntegers(false)
    .get()
  return typeof layout === 'number' ? layout : 0
}

/** True for a log that this version can read and shorten. */
export function hasOwnChangeLog(database: SqliteDatabase): boolean {
  return readLogLayout(database) === layoutVersion
}

function removeChangeLog(database: SqliteDatabase): void {
  const objects = database
    .prepare(
      `select type, name from main.sqlite_schema where type in ('trigger', 'table')
       and substr(name, 1, ${internalPrefix.length}) = '${internalPrefix}' order by type desc`,
    )
    .all() as { readonly type: string; readonly name: string }[]
  for (const { type, name } of objects) {
    database.exec(`drop ${type} main.${quoteIdentifier(name)}`)
  }
}

/** The life of the log this database has now; null if there is no log. */
export function readEpoch(database: SqliteDatabase): string | null {
  if (!hasChangeLog(database)) {
    return null
  }
  const epoch = database
    .prepare(`select value from ${changeLog.metaTable} where key = 'epoch'`)
    .pluck()
    .get()
  return typeof epoch === 'string' ? epoch : null
}

export function hasChangeLog(database: SqliteDatabase): boolean {
  return (
    database
      .prepare("select 1 from main.sqlite_schema where type = 'table' and name = ?")
      .get(changeLog.consumerTable) !== undefined
  )
}

/** The number a captured table has in the log, for ever; given out here on first use. */
export function registerTable(database: SqliteDatabase, name: string): number {
  const known = database
    .prepare(`select id from ${changeLog.tableTable} where name = ? collate nocase`)
    .pluck()
    .safeIntegers(false)
    .get(name) as number | undefined
  if (known !== undefined) {
    return known
  }
  const result = database.prepare(`insert into ${changeLog.tableTable}(name) values (?)`).run(name)
  return Number(result.lastInsertRowid)
}

/** Deletes at most `rowsMax` rows up to `position`, never the newest; returns how many. */
export function pruneChangeLog(
  database: SqliteDatabase,
  position: number,
  rowsMax: number,
): number {
  const { changes } = database
    .prepare(
      `delete from ${changeLog.logTable} where seq in (
         select seq from ${changeLog.logTable}
         where seq <= ? and seq < (select max(seq) from ${changeLog.logTable})
         order by seq limit ?)`,
    )
    .run(position, rowsMax)
  database
    .prepare(
      `delete from ${changeLog.keyTable}
       where seq < (select min(seq) from ${changeLog.logTable})`,
    )
    .run()
  return changes
}

/** Where a consumer has got to, and when it was there. */
export interface ConsumerPlace {
  readonly id: string
  readonly position: number
  readonly seenMs: number
}

/** Registers a consumer that needs no row up to its position; later rows are kept for it. */
export function registerConsumer(database: SqliteDatabase, place: ConsumerPlace): void {
  database
    .prepare(
      `insert into ${changeLog.consumerTable}(id, position, seen_ms) values (?, ?, ?)
       on conflict(id) do update set position = excluded.position, seen_ms = excluded.seen_ms`,
    )
    .run(place.id, place.position, place.seenMs)
}

/**
 * Moves a consumer on; false when it is not registered any more. Then rows that it needs may be gone,
 * and to register it again would hide that.
 */
export function moveConsumer(database: SqliteDatabase, place: ConsumerPlace): boolean {
  const { changes } = database
    .prepare(`update ${changeLog.consumerTable} set position = ?, seen_ms = ? where id = ?`)
    .run(place.position, place.seenMs, place.id)
  return changes === 1
}

/** Null when the consumer is not registered: rows it needs may have been pruned. */
export function readConsumerPosition(database: SqliteDatabase, id: string): number | null {
  const position = database
    .prepare(`select position from ${changeLog.consumerTable} where id = ?`)
    .pluck()
    .safeIntegers(false)
    .get(id)
  return typeof position === 'number' ? position : null
}

/** What a mirror learns that the log has forgotten: changes that it needs may be gone. */
export function lostPlace(): HtapError {
  return new HtapError('sync-failed', 'the mirror has lost its place in the change log', {
    facts: { lostPlace: true },
  })
}

export function deleteConsumer(database: SqliteDatabase, id: string): void {
  database.prepare(`delete from ${changeLog.consumerTable} where id = ?`).run(id)
}

/** A name for a new consumer; it tells those that cannot outlive their process. */
export function newConsumerId(isInMemory: boolean): string {
  return isInMemory ? `${memoryPrefix}${uniqueId()}` : uniqueId()
}

const memoryPrefix = 'memory:'

/**
 * Forgets consumers that were not heard of for so long that they must be dead, and those that were
 * heard of in the future, which a clock that was wrong has left; returns how many.
 */
export function expireConsumers(database: SqliteDatabase, nowMs: number): number {
  return database
    .prepare(
      `delete from ${changeLog.consumerTable}
       where seen_ms > ? or seen_ms < case when id like '${memoryPrefix}%' then ? else ? end`,
    )
    .run(
      nowMs + limits.consumerExpiryMs,
      nowMs - limits.memoryConsumerExpiryMs,
      nowMs - limits.consumerExpiryMs,
    ).changes
}

/** Forgets consumers that still need rows up to `position`; they begin anew. */
export function expelConsumers(database: SqliteDatabase, position: number): number {
  return database.prepare(`delete from ${changeLog.consumerTable} where position < ?`).run(position)
    .changes
}

/** How many rows the log spans, pruned rows in its middle included; two look-ups. */
export function readLogSpan(database: SqliteDatabase): LogSpan {
  const row = database
    .prepare(
      `select (select min(seq) from ${changeLog.logTable}) as first,
              (select max(seq) from ${changeLog.logTable}) as last`,
    )
    .safeIntegers(false)
    .get() as { readonly first: number | null; readonly last: number | null }
  return row.first === null || row.last === null
    ? { rows: 0, head: 0 }
    : { rows: row.last - row.first + 1, head: row.last }
}

export interface LogSpan {
  readonly rows: number
  readonly head: number
}

/** The position up to which every consumer has read; null if there is none. */
export function readSlowestPosition(database: SqliteDatabase): number | null {
  const position = database
    .prepare(`select min(position) from ${changeLog.consumerTable}`)
    .pluck()
    .safeIntegers(false)
    .get()
  return typeof position === 'number' ? position : null
}
