import { limits } from '../core/limits.js'
import { Turns } from '../core/turns.js'
import { assertFile } from './file-identity.js'
import type { SqliteDatabaseConstructor } from './open-database.js'
import type { SqliteDatabase } from './sqlite-database.js'
import { StatementCache } from './statement-cache.js'

/** A connection that only reads, beside the writer. */
export interface ReadConnection {
  readonly database: SqliteDatabase
  readonly statements: StatementCache
}

export interface ReadConnectionOptions {
  readonly Database: SqliteDatabaseConstructor
  readonly path: string
  /** The file that the path must lead to. */
  readonly identity: string | null
  readonly busyTimeoutMs: number
  readonly onCreateConnection: ((database: SqliteDatabase) => void | Promise<void>) | undefined
}

/**
 * Connections on the calling thread that see the last commit and wait for nobody: one that all
 * short reads share, and one for each open stream.
 */
export class ReadConnections {
  readonly #options: ReadConnectionOptions
  readonly #streamTurns = new Turns(limits.streamConnectionsMax)
  readonly #open = new Set<ReadConnection>()
  readonly #idle: ReadConnection[] = []
  #shared: Promise<ReadConnection> | null = null

  constructor(options: ReadConnectionOptions) {
    this.#options = options
  }

  /** The connection for reads that end before anything else can happen. */
  async shared(): Promise<ReadConnection> {
    this.#shared ??= this.#connect()
    try {
      return await this.#shared
    } catch (error) {
      this.#shared = null
      throw error
    }
  }

  /** A connection for one stream alone; give it back with `releaseStream`. */
  async acquireForStream(signal?: AbortSignal): Promise<ReadConnection> {
    await this.#streamTurns.enter(signal)
    try {
      return this.#idle.pop() ?? (await this.#connect())
    } catch (error) {
      this.#streamTurns.leave()
      throw error
    }
  }

  releaseStream(connection: ReadConnection): void {
    if (this.#idle.length === 0) {
      this.#idle.push(connection)
    } else {
      this.#close(connection)
    }
    this.#streamTurns.leave()
  }

  close(): void {
    for (const connection of [...this.#open]) {
      this.#close(connection)
    }
  }

  async #connect(): Promise<ReadConnection> {
    const { Database, path, identity, busyTimeoutMs, onCreateConnection } = this.#options
    const database = new Database(path, {
      readonly: true,
      fileMustExist: true,
      timeout: busyTimeoutMs,
    })
    try {
      assertFile(path, identity)
      await onCreateConnection?.(database)
    } catch (error) {
      database.close()
      throw error
    }
    const connection = Object.freeze({ database, statements: new StatementCache(database) })
    this.#open.add(connection)
    return connection
  }

  #close(connection: ReadConnection): void {
    this.#open.delete(connection)
    connection.database.close()
  }
}
