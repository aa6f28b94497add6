import { HtapError } from '../core/htap-error.js'
import { limits } from '../core/limits.js'
import { databaseFile, type OpenDatabaseOptions, openDatabase } from './open-database.js'
import { openReads } from './open-reads.js'
import type { Reads } from './reads.js'
import type { SqliteDatabase } from './sqlite-database.js'
import { type SessionHost, SqliteSession } from './sqlite-session.js'
import { Writer } from './writer.js'

export interface SqliteEngineOptions {
  readonly database: SqliteDatabase | string | (() => SqliteDatabase | Promise<SqliteDatabase>)
  readonly pragmas?: OpenDatabaseOptions
  readonly onCreateConnection?: (database: SqliteDatabase) => void | Promise<void>
}

/** Everything that one driver has open on SQLite. */
export class SqliteEngine {
  readonly writer: Writer
  /** The absolute path of the database; null for one that has no file. */
  readonly path: string | null
  readonly #reads: Reads | null
  readonly #sessions = new Set<SqliteSession>()
  readonly #host: SessionHost = {
    isClosing: () => this.#closing,
    ended: (session) => this.#forget(session),
  }
  readonly #ownsDatabase: boolean
  #closing = false
  #drained: (() => void) | null = null

  private constructor(writer: Writer, reads: Reads | null, ownsDatabase: boolean) {
    this.writer = writer
    this.path = databaseFile(writer.database)
    this.#reads = reads
    this.#ownsDatabase = ownsDatabase
  }

  /**
   * Opens the database, or takes the one that is given. Nothing stays open after a failure.
   *
   * @throws HtapError `config-invalid`, SqliteError
   */
  static async open(options: SqliteEngineOptions): Promise<SqliteEngine> {
    const { database: source } = options
    const isPath = typeof source === 'string'
    let database: SqliteDatabase
    if (isPath) {
      database = await openDatabase(source, options.pragmas)
    } else {
      database = typeof source === 'function' ? await source() : source
    }
    const isOurs = isPath || typeof source === 'function'
    // Before the hook, so that what the hook registers is seen.
    const writer = new Writer(database)
    try {
      await options.onCreateConnection?.(database)
      const reads = await openReads(writer, options.onCreateConnection)
      return new SqliteEngine(writer, reads, isOurs)
    } catch (error) {
      writer.detach()
      if (isOurs) {
        database.close()
      }
      throw error
    }
  }

  openSession(): SqliteSession {
    const session = new SqliteSession(this.writer, this.#reads, this.#host)
    if (!this.#closing) {
      this.#sessions.add(session)
    }
    return session
  }

  /** Refuses new sessions and waits, for a bounded time, until the open ones have ended. */
  async drain(): Promise<void> {
    this.#closing = true
    if (this.#sessions.size === 0) {
      return
    }
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#drained = resolve
      timer = setTimeout(resolve, limits.drainWaitMs)
    })
    clearTimeout(timer)
  }

  /** Closes everything, the database included, also one that was given as an instance. */
  async close(): Promise<void> {
    this.#closing = true
    const closed = new HtapError('closed', 'the database was closed while the query waited')
    this.writer.refuseWaiting(closed)
    const errors: unknown[] = []
    const closings = [
      ...[...this.#sessions].map((session) => () => session.release()),
      // The last one to close writes the WAL back, which a reader could not.
      () => this.#reads?.close(),
      () => this.writer.detach(),
      () => this.writer.database.close(),
    ]
    for (const close of closings) {
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) {
      throw new AggregateError(errors, 'closing SQLite failed')
    }
  }

  /** Undoes `open` without touching an instance that is the application's own. */
  async abandon(): Promise<void> {
    await this.#reads?.close()
    this.writer.detach()
    if (this.#ownsDatabase) {
      this.writer.database.close()
    }
  }

  #forget(session: SqliteSession): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) {
      this.#drained?.()
    }
  }
}
