import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { quoteIdentifier } from '../../dist/src/core/sql-identifier.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { OwnConnectionAccess, SharedConnectionAccess } from '../../dist/sync/read/source-access.js'
import { SyncEngine } from '../../dist/sync/sync-engine.js'
import type { SyncOptions } from '../../dist/sync/sync-options.js'
import { tempFolder } from './temp-folder.js'

/** A SQLite database with a sync engine beside it. */
export class SyncHarness {
  readonly path: string
  readonly database: Database.Database
  readonly errors: unknown[] = []
  engine!: SyncEngine

  private constructor(path: string) {
    this.path = path
    this.database = new Database(path)
  }

  /** A WAL file with a mirror in a file, or a database in memory with a mirror in memory. */
  static async open(kind: 'file' | 'memory' = 'file'): Promise<SyncHarness> {
    const harness = new SyncHarness(kind === 'file' ? join(tempFolder(), 'test.db') : ':memory:')
    if (kind === 'file') {
      harness.database.pragma('journal_mode = wal')
    }
    return await harness.#begin()
  }

  /** The database at `path`, with whatever mirror it has. */
  static async openFile(path: string, options: Partial<SyncOptions> = {}): Promise<SyncHarness> {
    const harness = new SyncHarness(path)
    harness.database.pragma('journal_mode = wal')
    return await harness.#begin(options)
  }

  async #begin(options: Partial<SyncOptions> = {}): Promise<this> {
    await this.start(options)
    onTestFinished(() => this.close())
    return this
  }

  async close(): Promise<void> {
    await this.engine.close()
    this.database.close()
  }

  async start(options: Partial<SyncOptions> = {}): Promise<void> {
    const isFile = this.path !== ':memory:'
    const access = isFile
      ? new OwnConnectionAccess(await openControlConnection(this.path), this.path)
      : new SharedConnectionAccess(this.database, async (section) => section())
    this.engine = new SyncEngine(access, {
      olapPath: isFile ? `${this.path}-htap.duckdb` : ':memory:',
      whenLocked: 'sqlite',
      fileMode: null,
      memoryLimit: '512MB',
      threads: 2,
      tables: 'auto',
      intervalMs: 10,
      logRowsMax: limits.logRowsMax,
      onError: (error) => this.errors.push(error),
      ...options,
    })
    this.engine.start()
  }

  /** Closes the engine and starts another one, as a restart of the application does. */
  async restart(): Promise<void> {
    await this.engine.close()
    await this.start()
  }

  /** Mirrors tables and waits until they are live or refused. */
  async mirror(...names: string[]): Promise<void> {
    for (const name of names) {
      this.engine.requestCopy(name)
    }
    await this.engine.waitForCopies(names, 20_000)
  }

  state(name: string) {
    return this.engine.tables.find(name)?.state
  }

  /** Proves that a live copy holds exactly the rows of SQLite: by checksum and row by row. */
  async expectEqual(...names: string[]): Promise<void> {
    await this.engine.syncNow()
    await this.widened(...names)
    const report = await this.engine.verify(names)
    expect(report.tables.map((table) => table.table).sort()).toEqual([...names].sort())
    for (const table of report.tables) {
      expect(this.engine.tables.findLive(table.table)?.rowCount).toBe(table.sqliteRows)
      expect({ table: table.table, rows: table.mirrorRows, sum: table.mirrorChecksum }).toEqual({
        table: table.table,
        rows: table.sqliteRows,
        sum: table.sqliteChecksum,
      })
    }
    for (const name of names) {
      expect(await this.mirrorRows(name)).toEqual(this.sqliteRows(name))
    }
  }

  /** Waits until columns that met values of another class are copied with wider storage. */
  async widened(...names: string[]): Promise<void> {
    const deadline = Date.now() + 10_000
    const isPending = () => names.some((name) => this.engine.tables.find(name)?.live?.canWiden)
    while (isPending() && Date.now() < deadline) {
      this.engine.wake()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  sqliteRows(name: string): unknown[] {
    return this.database
      .prepare(`select * from ${quoteIdentifier(name)}`)
      .all()
      .map(canonical)
      .sort()
  }

  async mirrorRows(name: string): Promise<unknown[]> {
    const table = this.engine.tables.findLive(name)
    const store = this.engine.store
    if (table === undefined || store === null) {
      throw new Error(
        `${name} is not live: ${JSON.stringify(this.engine.tables.find(name)?.reason)}`,
      )
    }
    const columnNames = table.columns.map((column) => column.name)
    const sql = `select ${columnNames.map(quoteIdentifier).join(', ')} from ${table.sqlName}`
    const rows = await store.rows({ sql, parameters: [] }, { columnNames, integers: 'number' })
    return rows.map(canonical).sort()
  }
}

function canonical(row: unknown): string {
  return JSON.stringify(Object.entries(row as object), (_, value) =>
    value instanceof Uint8Array ? `blob:${Buffer.from(value).toString('hex')}` : value,
  )
}
