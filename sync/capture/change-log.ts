import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { uniqueId } from '../../src/core/outside-world.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import { hasTable, internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { installRowidLife } from './rowid-life.js'

/**
 * The change log lives in the application's own database, so that a change and its log row
 * commit together. Invariants:
 *
 * 1. `seq` grows and has no gaps: the newest row is never deleted.
 * 2. A row is deleted only when every registered consumer has passed it; the row at a consumer's
 *    own position stays.
 * 3. `mark` is random and tells a row from any other that ever had, or will have, the same `seq`.
 *    So a consumer that finds the row of its position has lost nothing: neither was the database
 *    set back, nor was anything deleted that it has not read.
 * 4. `epoch` names one life of the log; positions of another life mean nothing.
 *
 * `_htap_log` holds keys only: the rowid in `k`, or the primary key of a WITHOUT ROWID table; if
 * that has several columns, all but the first stand under the same `seq` in `_htap_key`, so that
 * the usual row stays small. The columns have no type: a key keeps its storage class. A row of table
 * 0 says that a log or a capture begins.
 */
export const changeLog = Object.freeze({
  metaTable: `${internalPrefix}meta`,
  logTable: `${internalPrefix}log`,
  keyTable: `${internalPrefix}key`,
  tableTable: `${internalPrefix}table`,
  consumerTable: `${internalPrefix}consumer`,
})

/** Raised when the tables below change their meaning. */
const layoutVersion = 2
/** Stands in the log for no table. */
const noTable = 0

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
  const layout = readLayout(database)
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
    create table if not exists ${changeLog.logTable}(
      seq integer primary key, tbl, k, mark default (random()));
    create table if not exists ${changeLog.keyTable}(seq integer primary key, k1, k2, k3);
    create table if not exists ${changeLog.tableTable}(id integer primary key, name text not null);
    create table if not exists ${changeLog.consumerTable}(
      id text primary key, position integer not null, seen_ms integer not null) without rowid;
  `)
  installRowidLife(database)
  const note = database.prepare(
    `insert or ignore into ${changeLog.metaTable}(key, value) values (?, ?)`,
  )
  note.run('epoch', uniqueId())
  note.run('layout', layoutVersion)
  const isEmpty = database.prepare(`select 1 from ${changeLog.logTable}`).get() === undefined
  if (isEmpty) {
    addMark(database)
  }
}

/** A log row that changes nothing: what was read before it can be told from what comes after. */
export function addMark(database: SqliteDatabase): void {
  database.exec(`insert into ${changeLog.logTable}(tbl) values (${noTable})`)
}

/** The layout that the log has; null if there is no log. */
function readLayout(database: SqliteDatabase): number | null {
  if (!hasTable(database, changeLog.metaTable)) {
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
  return readLayout(database) === layoutVersion
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

export function hasChangeLog(database: SqliteDatabase): boolean {
  return hasTable(database, changeLog.consumerTable)
}

/** Deletes at most `rowsMax` rows before `position`, never the newest; returns how many. */
export function pruneChangeLog(
  database: SqliteDatabase,
  position: number,
  rowsMax: number,
): number {
  const { changes } = database
    .prepare(
      `delete from ${changeLog.logTable} where seq <= (
         select max(seq) from (
           select seq from ${changeLog.logTable}
           where seq < ? and seq < (select max(seq) from ${changeLog.logTable})
           order by seq limit ?))`,
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

export function deleteConsumer(database: SqliteDatabase, id: string): void {
  database.prepare(`delete from ${changeLog.consumerTable} where id = ?`).run(id)
}

/** A name for a new consumer; it tells those that cannot outlive their process. */
export function newConsumerId(isInMemory: boolean): string {
  return isInMemory ? `${memoryPrefix}${uniqueId()}` : uniqueId()
}

const memoryPrefix = 'memory:'

/** A history cannot begin anew; nobody forgets it, however long it is away. */
export const historyPrefix = 'history:'

/** Forgets the histories that are not this one; returns how many. */
export function deleteOtherHistories(database: SqliteDatabase, id: string): number {
  return database
    .prepare(`delete from ${changeLog.consumerTable} where id like '${historyPrefix}%' and id <> ?`)
    .run(id).changes
}

/**
 * Forgets consumers that were not heard of for so long that they must be dead, and those that were
 * heard of in the future, which a clock that was wrong has left; returns how many.
 */
export function expireConsumers(database: SqliteDatabase, nowMs: number): number {
  return database
    .prepare(
      `delete from ${changeLog.consumerTable}
       where id not like '${historyPrefix}%'
         and (seen_ms > ? or seen_ms < case when id like '${memoryPrefix}%' then ? else ? end)`,
    )
    .run(
      nowMs + limits.consumerExpiryMs,
      nowMs - limits.memoryConsumerExpiryMs,
      nowMs - limits.consumerExpiryMs,
    ).changes
}

/** Forgets consumers that still need rows up to `position`; they begin anew. */
export function expelConsumers(database: SqliteDatabase, position: number): number {
  return database
    .prepare(
      `delete from ${changeLog.consumerTable}
       where position < ? and id not like '${historyPrefix}%'`,
    )
    .run(position).changes
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
