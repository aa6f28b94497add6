import { assert } from '../core/assert.js'
import type { ColumnKind } from '../core/column-batch.js'
import { limits } from '../core/limits.js'
import { ChunkAppender } from './chunk-appender.js'
import { ChunkBuffer, duckdbType } from './chunk-buffer.js'
import type { ConnectionPool } from './connection-pool.js'
import type { Connection, DuckDb } from './duckdb-bindings.js'
import { runStatement } from './duckdb-statement.js'
import { olapFailure } from './olap-failure.js'
import type { OlapAppender, OlapAppendTarget, OlapValue, OlapWriter } from './olap-store.js'
import { resultChunks, resultTypes } from './result-reader.js'
import { columnDecoder } from './vector-decoder.js'

/** How batches get into the engine: by copies of memory, or value by value. */
export type AppendPath = 'chunks' | 'rows'

/** The writing connection; statements run one after the other in the order of their calls. */
export class DuckDbWriter implements OlapWriter {
  readonly #duckdb: DuckDb
  readonly #connection: ConnectionPool
  readonly #appenders = new Set<ChunkAppender>()
  readonly #buffers = new Map<string, ChunkBuffer>()
  readonly #beforeWrite: () => void
  #path: AppendPath

  /** @param connection a pool of exactly one */
  constructor(
    duckdb: DuckDb,
    connection: ConnectionPool,
    path: AppendPath,
    beforeWrite: () => void,
  ) {
    this.#beforeWrite = beforeWrite
    this.#duckdb = duckdb
    this.#connection = connection
    this.#path = path
  }

  get appendPath(): AppendPath {
    return this.#path
  }

  /** Appenders opened from now on take the slower path that trusts no memory layout. */
  appendByRows(): void {
    this.#path = 'rows'
  }

  async execute(sql: string, parameters: readonly OlapValue[] = []): Promise<void> {
    if (/(^|;)\s*rollback\b/i.test(sql)) {
      this.discardAppenders()
    }
    if (/(^|;)\s*commit\b/i.test(sql)) {
      const pending = [...this.#appenders].some((appender) => appender.pending)
      assert(!pending, 'appended rows are flushed before the commit that they belong to')
    }
    await this.#run(async (connection) => {
      this.#beforeWrite()
      return runStatement(this.#duckdb, connection, { sql, parameters })
    })
  }

  async values(sql: string, parameters: readonly OlapValue[] = []): Promise<OlapValue[][]> {
    const duckdb = this.#duckdb
    const result = await this.#run((connection) =>
      runStatement(duckdb, connection, { sql, parameters }),
    )
    const decoders = resultTypes(duckdb, result).map((type) =>
      columnDecoder(duckdb, type, 'bigint', true),
    )
    const rows: OlapValue[][] = []
    for await (const { rowCount, vectors } of resultChunks(duckdb, result)) {
      const columns = vectors.map((vector, index) => decoders[index]?.(vector, rowCount) ?? [])
      for (let row = 0; row < rowCount; row++) {
        rows.push(columns.map((column) => column[row] as OlapValue))
      }
    }
    return rows
  }

  async appender(target: OlapAppendTarget, kinds: readonly ColumnKind[]): Promise<OlapAppender> {
    return await this.#run(async (connection) => this.#openAppender(connection, target, kinds))
  }

  /** Forgets what open appenders hold, as a rollback must. */
  discardAppenders(): void {
    for (const appender of this.#appenders) {
      appender.discard()
    }
  }

  async #run<T>(task: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await this.#connection.run(task)
    } catch (error) {
      throw olapFailure(error)
    }
  }

  #openAppender(
    connection: Connection,
    target: OlapAppendTarget,
    kinds: readonly ColumnKind[],
  ): ChunkAppender {
    const duckdb = this.#duckdb
    const { catalog, schema, table } = target
    const appender = duckdb.appender_create_ext(connection, catalog, schema, table)
    const types = Array.from({ length: duckdb.appender_column_count(appender) }, (_, column) =>
      duckdb.get_type_id(duckdb.appender_column_type(appender, column)),
    )
    const matches =
      types.length === kinds.length &&
      kinds.every((kind, column) => duckdbType(duckdb, kind) === types[column])
    assert(matches, `the columns of ${table} are of the kinds ${kinds.join(', ')}`)
    const buffer = this.#path === 'chunks' ? this.#takeBuffer(kinds) : null
    const opened = new ChunkAppender(duckdb, appender, buffer, {
      assertIdle: () => assert(this.#connection.idle, 'nothing runs while rows are appended'),
      closed: (closed, used) => {
        this.#appenders.delete(closed)
        this.#giveBuffer(kinds, used)
      },
    })
    this.#appenders.add(opened)
    return opened
  }

  #takeBuffer(kinds: readonly ColumnKind[]): ChunkBuffer {
    const key = kinds.join()
    const buffer = this.#buffers.get(key) ?? new ChunkBuffer(this.#duckdb, kinds)
    this.#buffers.delete(key)
    return buffer
  }

  #giveBuffer(kinds: readonly ColumnKind[], buffer: ChunkBuffer | null): void {
    if (buffer !== null && this.#buffers.size < limits.chunkBuffersMax) {
      this.#buffers.set(kinds.join(), buffer)
    }
  }
}
