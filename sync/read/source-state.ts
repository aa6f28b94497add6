import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'
import { changeLog } from '../capture/change-log.js'

/** Where the source stood in one read snapshot. */
export interface SourceState {
  /** The newest position of the change log; 0 before the first change. */
  readonly head: number
  readonly schemaVersion: number
  readonly epoch: string | null
  /** Null when the consumer is not registered (any more). */
  readonly consumerPosition: number | null
}

/** The newest position of the change log; 0 before the first change. */
export const headSql = `select coalesce(max(seq), 0) from main.${changeLog.logTable}`

/** Reads the state; about 3 us once its statements are prepared. */
export class SourceStateReader {
  readonly #head: SqliteStatement
  readonly #schemaVersion: SqliteStatement
  readonly #epoch: SqliteStatement
  readonly #consumer: SqliteStatement

  constructor(database: SqliteDatabase) {
    this.#head = database.prepare(headSql).pluck().safeIntegers(false)
    this.#schemaVersion = database.prepare('pragma main.schema_version').pluck().safeIntegers(false)
    this.#epoch = database
      .prepare(`select value from main.${changeLog.metaTable} where key = 'epoch'`)
      .pluck()
    this.#consumer = database
      .prepare(`select position from main.${changeLog.consumerTable} where id = ?`)
      .pluck()
      .safeIntegers(false)
  }

  head(): number {
    return this.#head.get() as number
  }

  schemaVersion(): number {
    return this.#schemaVersion.get() as number
  }

  read(consumerId: string): SourceState {
    const epoch = this.#epoch.get()
    const position = this.#consumer.get(consumerId)
    return {
      head: this.head(),
      schemaVersion: this.schemaVersion(),
      epoch: typeof epoch === 'string' ? epoch : null,
      consumerPosition: typeof position === 'number' ? position : null,
    }
  }
}
