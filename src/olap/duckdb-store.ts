import * as files from 'node:fs/promises'
import type { Table as ArrowTable } from 'apache-arrow'
import { assert } from '../core/assert.js'
import { limits } from '../core/limits.js'
import { reach, through } from '../core/outside-world.js'
import { selfTestAppender } from './appender-self-test.js'
import { readArrowTable } from './arrow-table.js'
import { ConnectionPool } from './connection-pool.js'
import type { Connection, DuckDb, Result } from './duckdb-bindings.js'
import { loadDuckDb } from './duckdb-bindings.js'
import {
  applyConnectionSettings,
  applySettings,
  type DuckDbStoreOptions,
  hasOlderForm,
  openingSettings,
} from './duckdb-settings.js'
import { runStatement } from './duckdb-statement.js'
import { DuckDbWriter } from './duckdb-writer.js'
import { interruptAtExit } from './exit-interrupts.js'
import { olapFailure, openFailure, storeClosed } from './olap-failure.js'
import type { OlapReadOptions, OlapStatement, OlapStore } from './olap-store.js'
import { decodedChunks } from './result-reader.js'
import { RowMakers } from './row-maker.js'
import { StoreFiles } from './store-files.js'
import { claimStoreFile } from './store-registry.js'

/**
 * Opens a column store in DuckDB.
 *
 * ### Examples
 *
 * ```ts
 * const store = await openDuckDbStore({
 *   path: 'app.duckdb', memoryLimit: '512MB', threads: 2, tempDirectory: 'app.duckdb.tmp',
 * })
 * await store.writer.execute('create table pet (id bigint, name varchar)')
 * const rows = await store.rows(
 *   { sql: 'select count(*) from pet where id > ?', parameters: [3n] },
 *   { columnNames: ['n'], integers: 'number' },
 * )
 * await store.close()
 * ```
 *
 * @throws HtapError `mirror-unavailable` when the file cannot be opened: `facts.reason` is
 * `'in-use'` (by this process), `'locked'` (by another one), `'folder-missing'`, `'not-writable'`,
 * `'no-space'` or `'refused'` (damaged, or written by another version)
 */
export async function openDuckDbStore(options: DuckDbStoreOptions): Promise<OlapStore> {
  const release = options.path === ':memory:' ? () => {} : await claimStoreFile(options.path)
  const store = await openUntested(options, release)
  try {
    if (await hasOlderForm(store.writer)) {
      throw new Error('it is a file in an older form')
    }
    if (options.appendPath !== 'rows' && !(await selfTestAppender(store.writer))) {
      store.writer.appendByRows()
      store.sideWriter.appendByRows()
    }
    return store
  } catch (error) {
    await store.close()
    throw openFailure(error, options.path)
  }
}

async function openUntested(
  options: DuckDbStoreOptions,
  release: () => void,
): Promise<DuckDbStore> {
  try {
    const duckdb = await loadDuckDb()
    return new DuckDbStore(duckdb, await openConnections(duckdb, options), options, release)
  } catch (error) {
    release()
    throw openFailure(error, options.path)
  }
}

interface Opened {
  readonly database: Awaited<ReturnType<DuckDb['open']>>
  readonly files: StoreFiles | null
  readonly writing: Connection
  readonly besides: Connection
  readonly reading: readonly Connection[]
}

class DuckDbStore implements OlapStore {
  readonly writer: DuckDbWriter
  readonly sideWriter: DuckDbWriter
  readonly #duckdb: DuckDb
  readonly #opened: Opened
  readonly #path: string
  readonly #writing: ConnectionPool
  readonly #besides: ConnectionPool
  readonly #reading: ConnectionPool
  readonly #rowMakers = new RowMakers()
  readonly #release: () => void
  readonly #forgetExit: () => void
  #closing: Promise<void> | undefined

  constructor(duckdb: DuckDb, opened: Opened, options: DuckDbStoreOptions, release: () => void) {
    this.#duckdb = duckdb
    this.#opened = opened
    this.#path = options.path
    this.#writing = new ConnectionPool(duckdb, [opened.writing])
    this.#besides = new ConnectionPool(duckdb, [opened.besides])
    this.#reading = new ConnectionPool(duckdb, opened.reading)
    this.#release = release
    this.#forgetExit = interruptAtExit(() => {
      this.#writing.interrupt()
      this.#besides.interrupt()
      this.#reading.interrupt()
    })
    const writerOf = (pool: ConnectionPool) =>
      new DuckDbWriter(duckdb, pool, options.appendPath ?? 'chunks', () =>
        opened.files?.beforeWriting(),
      )
    this.writer = writerOf(this.#writing)
    this.sideWriter = writerOf(this.#besides)
  }

  async rows(
    statement: OlapStatement,
    options: OlapReadOptions,
  ): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    for await (const append of this.#decode(statement, options)) {
      append(rows)
    }
    return rows
  }

  async *stream(
    statement: OlapStatement,
    options: OlapReadOptions & { readonly chunkSize: number },
  ): AsyncGenerator<Record<string, unknown>[]> {
    assert(options.chunkSize >= 1, 'a chunk of a stream has at least one row')
    let rows: Record<string, unknown>[] = []
    for await (const append of this.#decode(statement, options)) {
      append(rows)
      let start = 0
      for (; rows.length - start >= options.chunkSize; start += options.chunkSize) {
        yield rows.slice(start, start + options.chunkSize)
        this.#checkGoing(options.signal)
      }
      rows = rows.slice(start)
    }
    if (rows.length > 0) {
      yield rows
    }
  }

  async arrow(statement: OlapStatement, options: OlapReadOptions): Promise<ArrowTable> {
    const result = await this.#run(statement, options.signal)
    return await readArrowTable(this.#duckdb, result, options.columnNames, () =>
      this.#checkGoing(options.signal),
    )
  }

  async sizes(): Promise<{ readonly memoryBytes: number; readonly fileBytes: number }> {
    const sql = 'select coalesce(sum(memory_usage_bytes), 0)::bigint from duckdb_memory()'
    const options = { columnNames: ['bytes'], integers: 'number' } as const
    const rows = await this.rows({ sql, parameters: [] }, options)
    const [memoryBytes] = rows.flatMap((row) => Object.values(row))
    const files = this.#path === ':memory:' ? [] : [this.#path, `${this.#path}.wal`]
    const sizes = await Promise.all(files.map(fileSize))
    return {
      memoryBytes: Number(memoryBytes),
      fileBytes: sizes.reduce((sum, size) => sum + size, 0),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Yields, for each chunk of the result, a function that appends its rows to a list. */
  async *#decode(
    statement: OlapStatement,
    options: OlapReadOptions,
  ): AsyncGenerator<(rows: Record<string, unknown>[]) => void> {
    const { columnNames, integers, signal } = options
    const result = await this.#run(statement, signal)
    const make = this.#rowMakers.get(columnNames)
    const chunks = decodedChunks(this.#duckdb, result, columnNames.length, integers)
    for await (const { rowCount, columns } of chunks) {
      this.#checkGoing(signal)
      yield (rows) => make(rowCount, columns, rows)
    }
  }

  async #run(statement: OlapStatement, signal: AbortSignal | undefined): Promise<Result> {
    try {
      return await this.#reading.run(
        (connection) => runStatement(this.#duckdb, connection, statement),
        signal,
      )
    } catch (error) {
      throw signal?.aborted && error === signal.reason ? error : olapFailure(error)
    }
  }

  #checkGoing(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closing !== undefined) {
      throw storeClosed()
    }
  }

  async #close(): Promise<void> {
    const duckdb = this.#duckdb
    try {
      const { writing, besides } = this.#opened
      await Promise.all([this.#writing, this.#besides, this.#reading].map((it) => it.drain()))
      this.writer.discardAppenders()
      this.sideWriter.discardAppenders()
      // None has to succeed: there may be no transaction, and the log keeps what a
      // checkpoint would have moved.
      await duckdb.query(writing, 'rollback').catch(() => null)
      await duckdb.query(besides, 'rollback').catch(() => null)
      reach('close.before-checkpoint')
      await duckdb.query(writing, 'checkpoint').catch(() => null)
      reach('close.after-checkpoint')
      this.#reading.disconnect()
      this.#besides.disconnect()
      this.#writing.disconnect()
      duckdb.close_sync(this.#opened.database)
    } finally {
      this.#forgetExit()
      this.#release()
    }
  }
}

const writingConnections = 2

async function openConnections(duckdb: DuckDb, options: DuckDbStoreOptions): Promise<Opened> {
  const config = duckdb.create_config()
  for (const [name, value] of Object.entries(openingSettings(options))) {
    duckdb.set_config(config, name, value)
  }
  const files = StoreFiles.of(options.path, options.fileMode ?? null)
  files?.beforeOpening(options.tempDirectory)
  const database = await duckdb.open(options.path, config)
  const connections: Connection[] = []
  try {
    files?.afterOpening()
    for (let index = 0; index < writingConnections + limits.analyticStatementsMax; index++) {
      connections.push(await duckdb.connect(database))
    }
    const [writing, besides, ...reading] = connections
    assert(writing !== undefined && besides !== undefined, 'a store has connections that write')
    await applySettings(duckdb, writing, options)
    for (const connection of connections) {
      await applyConnectionSettings(duckdb, connection, options)
    }
    return { database, files, writing, besides, reading }
  } catch (error) {
    for (const connection of connections) {
      duckdb.disconnect_sync(connection)
    }
    duckdb.close_sync(database)
    throw error
  }
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await through('files', files).stat(path)).size
  } catch {
    return 0
  }
}
