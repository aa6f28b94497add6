import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import {
  allColumns,
  type HistoryTable,
  isLast,
  newestTable,
  versionTable,
} from './history-table.js'
import { lastVersionUpTo, newestVersion } from './version-range.js'

/** What is kept of a history, as positions and counts. */
export interface Retained {
  /** What had ended here may go; null where age does not matter. */
  readonly position: number | null
  /** So many versions of a key stay; null where their number does not matter. */
  readonly versionsPerKey: number | null
}

/** Finds the versions of one table that are not kept, a page at a time. */
export class ExpiredVersions {
  readonly #history: SqliteDatabase
  readonly #table: HistoryTable
  readonly #retained: Retained
  /** What comes later is not looked at, so that all pages speak of one moment. */
  readonly #newest: number
  readonly #end: number
  #first = 0
  #last = 0

  constructor(history: SqliteDatabase, table: HistoryTable, retained: Retained) {
    this.#history = history
    this.#table = table
    this.#retained = retained
    this.#newest = newestVersion(history, table)
    this.#end =
      retained.versionsPerKey === null
        ? lastVersionUpTo(history, table, retained.position ?? 0)
        : this.#newest
  }

  /** Goes on to the next `count` versions; false where there are none. */
  next(count: number): boolean {
    const last = this.#history
      .prepare(
        `select max(id) from (
           select id from ${versionTable(this.#table)} where id > ? and id <= ? order by id limit ?)`,
      )
      .pluck()
      .safeIntegers(false)
      .get(this.#last, this.#end, count) as number | null
    this.#first = this.#last
    this.#last = last ?? this.#last
    return last !== null
  }

  /**
   * How many versions of this page are not kept, about how many bytes their values take, and from which
   * position on none of them is missed.
   */
  measure(): ExpiredCount {
    const list = [...this.#table.keys, ...allColumns(this.#history, this.#table)]
    const bytes = list.map((it) => `coalesce(octet_length(v.${it}), 0)`).join(' + ')
    const [versions, size, begins] = this.#history
      .prepare(
        `select count(*), coalesce(sum(${versionBytes} + ${bytes}), 0),
           max(iif(v.op = 'D', v.position, ${this.#nextPosition()}))
         from ${versionTable(this.#table)} v where ${this.#isExpired()}`,
      )
      .raw()
      .safeIntegers(false)
      .get(this.#parameters()) as [number, number, number | null]
    return { versions, bytes: size, begins }
  }

  /** Deletes them; must run inside a write transaction of the history. */
  delete(): void {
    const keys = this.#table.keys.join(', ')
    this.#history
      .prepare(
        `delete from ${newestTable(this.#table)} where (${keys}) in (
           select ${this.#table.keys.map((key) => `v.${key}`).join(', ')}
           from ${versionTable(this.#table)} v where ${isLast(this.#table)} and ${this.#isExpired()})`,
      )
      .run(this.#parameters())
    this.#history
      .prepare(
        `delete from ${versionTable(this.#table)} where id in (
           select v.id from ${versionTable(this.#table)} v where ${this.#isExpired()})`,
      )
      .run(this.#parameters())
  }

  #parameters(): Record<string, number | null> {
    const { position, versionsPerKey } = this.#retained
    return {
      first: this.#first,
      last: this.#last,
      newest: this.#newest,
      position: position ?? 0,
      versionsPerKey: versionsPerKey ?? 0,
    }
  }

  /** Where the version `v` ends; null for one that is not followed by another. */
  #nextPosition(): string {
    return `(select n.position from ${versionTable(this.#table)} n where n.previous = v.id)`
  }

  /** A version that tells only of an end is not needed where no older one of its key is kept. */
  #isExpired(): string {
    const { versionsPerKey } = this.#retained
    const isOld = `iif(v.op = 'D', v.position, ${this.#nextPosition()}) <= :position`
    const isOneTooMany = `(select count(*) from (
        with recursive later(id, op) as (
          select v.id, 'D' union all
          select n.id, n.op from later join ${versionTable(this.#table)} n on n.previous = later.id)
        select 1 from later where id <= :newest and op <> 'D' limit :versionsPerKey)) = :versionsPerKey`
    return `v.id > :first and v.id <= :last
      and (${isOld} ${versionsPerKey === null ? '' : `or ${isOneTooMany}`})`
  }
}

export interface ExpiredCount {
  readonly versions: number
  readonly bytes: number
  readonly begins: number | null
}

/** A row's header, number, position, operation and the version before, and its entry of that one's index. */
const versionBytes = 30
