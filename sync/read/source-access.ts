import { assert } from '../../src/core/assert.js'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'

/**
 * How the sync engine reaches SQLite on the main thread: in turns, each within one turn of the
 * event loop, so that nobody in this thread ever sees one of them half done.
 */
export interface SourceAccess {
  /** The file, when other threads can read it beside this connection (WAL); else null. */
  readonly workerPath: string | null
  /**
   * Runs `turn` on a connection without an open transaction, inside a read transaction, as
   * soon as that is possible.
   */
  read<T>(turn: (database: SqliteDatabase) => T): Promise<T>
  /** As `read`, but at once; undefined when a transaction is open on the connection. */
  readNow<T>(turn: (database: SqliteDatabase) => T): T | undefined
  /**
   * Runs `turn` inside a write transaction.
   *
   * @throws better-sqlite3's SqliteError with code SQLITE_BUSY when another process writes.
   */
  write<T>(turn: (database: SqliteDatabase) => T): Promise<T>
  /** A number that moves when another connection has committed; null if it cannot be told. */
  dataVersion(): number | null
  /** Nobody is to wait any longer for the end of a transaction that is open on the connection now. */
  leave(): void
  close(): void
}

/** Access through a connection of our own: a WAL file. */
export class OwnConnectionAccess implements SourceAccess {
  readonly workerPath: string
  readonly #database: SqliteDatabase
  readonly #dataVersion: () => unknown
  readonly #isInUse: () => boolean

  /**
   * @param database opened without a busy timeout, so that a turn never waits
   * @param isInUse the application has a transaction open: a commit of ours in the middle of it
   * would make SQLite refuse its next write, which without us it would not
   */
  constructor(database: SqliteDatabase, path: string, isInUse: () => boolean = () => false) {
    this.#database = database
    this.#isInUse = isInUse
    this.workerPath = path
    const statement = database.prepare('pragma data_version').pluck()
    this.#dataVersion = () => statement.get()
  }

  async read<T>(turn: (database: SqliteDatabase) => T): Promise<T> {
    return inTransaction(this.#database, 'begin', turn)
  }

  readNow<T>(turn: (database: SqliteDatabase) => T): T {
    return turn(this.#database)
  }

  async write<T>(turn: (database: SqliteDatabase) => T): Promise<T> {
    if (this.#isInUse()) {
      throw new SourceBusy()
    }
    return inTransaction(this.#database, 'begin immediate', turn)
  }

  dataVersion(): number {
    return Number(this.#dataVersion())
  }

  leave(): void {
    // Its turns wait for nobody.
  }

  close(): void {
    this.#database.close()
  }
}

/** Now is no time to write; looks like SQLite's own refusal and is treated like it. */
class SourceBusy extends Error {
  readonly code = 'SQLITE_BUSY'

  constructor() {
    super('the application has a transaction open')
  }
}

/**
 * Access through the application's own connection: a database in memory, or a file whose
 * journal mode lets readers and a writer block each other.
 */
export class SharedConnectionAccess implements SourceAccess {
  readonly workerPath = null
  readonly #database: SqliteDatabase
  readonly #inLine: InLine
  readonly #leaving = new AbortController()

  constructor(database: SqliteDatabase, inLine: InLine) {
    this.#database = database
    this.#inLine = inLine
  }

  read<T>(turn: (database: SqliteDatabase) => T): Promise<T> {
    return this.#whenIdle(() => inTransaction(this.#database, 'begin', turn))
  }

  readNow<T>(turn: (database: SqliteDatabase) => T): T | undefined {
    return this.#database.inTransaction ? undefined : turn(this.#database)
  }

  write<T>(turn: (database: SqliteDatabase) => T): Promise<T> {
    return this.#whenIdle(() => inTransaction(this.#database, 'begin immediate', turn))
  }

  dataVersion(): null {
    return null
  }

  leave(): void {
    if (this.#database.inTransaction) {
      this.#leaving.abort(
        new HtapError('closed', 'the database is being closed inside of a transaction', {
          hint: 'end the transaction before',
        }),
      )
    }
  }

  close(): void {
    // The connection is the application's.
  }

  async #whenIdle<T>(turn: () => T): Promise<T> {
    const { signal } = this.#leaving
    for (;;) {
      const result = await this.#inLine(
        () => (this.#database.inTransaction ? null : { value: turn() }),
        signal,
      )
      if (result !== null) {
        return result.value
      }
      // The application itself has a transaction open on its connection.
      await new Promise((resolve) => setTimeout(resolve, limits.writeRetryMsMax))
    }
  }
}

/** Runs something when it is its turn on the connection. Throws the signal's reason. */
type InLine = <T>(section: () => T, signal: AbortSignal) => Promise<T>

function inTransaction<T>(
  database: SqliteDatabase,
  begin: 'begin' | 'begin immediate',
  turn: (database: SqliteDatabase) => T,
): T {
  assert(!database.inTransaction, 'a turn on SQLite begins outside of any transaction')
  try {
    database.exec(begin)
    const result = turn(database)
    database.exec('commit')
    return result
  } catch (error) {
    if (database.inTransaction) {
      database.exec('rollback')
    }
    throw error
  }
}
