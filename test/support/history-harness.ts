import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished } from 'vitest'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { HistoryKeeper } from '../../dist/sync/history/history-keeper.js'
import { readHistoryState } from '../../dist/sync/history/history-schema.js'
import {
  allColumns,
  type HistoryTable,
  readAllHistoryTables,
  readHistoryTables,
  versionTable,
} from '../../dist/sync/history/history-table.js'
import { rowsAsOfSql } from '../../dist/sync/history/rows-as-of.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { tempFolder } from './temp-folder.js'

/** Key and columns. */
function columnsOf(history: HistoryKeeper['history'], table: HistoryTable): string[] {
  return [...table.keys, ...allColumns(history, table)]
}

/** A SQLite database, two connections to it, and the history of its tables. */
export class HistoryHarness {
  readonly path: string
  readonly database: Database.Database
  /** Knows nothing of us. */
  readonly foreign: Database.Database
  keeper!: HistoryKeeper
  #access!: OwnConnectionAccess

  private constructor(path: string) {
    this.path = path
    this.database = new Database(path)
    this.database.pragma('journal_mode = wal')
    this.foreign = new Database(path)
  }

  static async open(schema: string, tables: 'all' | readonly string[] = 'all') {
    const harness = new HistoryHarness(join(tempFolder(), 'test.db'))
    harness.database.exec(schema)
    return await harness.#first(tables)
  }

  /** The database at `path`, with whatever history it has. */
  static async openFile(path: string) {
    return await new HistoryHarness(path).#first('all')
  }

  async #first(tables: 'all' | readonly string[]): Promise<this> {
    await this.begin(tables)
    onTestFinished(() => this.close())
    return this
  }

  async begin(tables: 'all' | readonly string[] = 'all'): Promise<void> {
    this.#access = new OwnConnectionAccess(await openControlConnection(this.path), this.path)
    this.keeper = await HistoryKeeper.open({
      access: this.#access,
      sourcePath: this.path,
      path: this.historyPath,
      tables,
      except: [],
      reserved: new Set(),
      onFailure: (error) => {
        throw error
      },
    })
    await this.keeper.move()
  }

  async end(): Promise<void> {
    if (this.keeper.history.open) {
      await this.keeper.close()
      this.#access.close()
    }
  }

  async restart(): Promise<void> {
    await this.end()
    await this.begin()
  }

  async close(): Promise<void> {
    await this.end()
    this.database.close()
    this.foreign.close()
  }

  get historyPath(): string {
    return `${this.path}-history`
  }

  /** Another history of the same database. */
  async openOther(): Promise<HistoryKeeper> {
    const path = `${this.path}-other`
    const keeper = await HistoryKeeper.open({
      access: this.#access,
      sourcePath: this.path,
      path,
      tables: 'all',
      except: [],
      reserved: new Set(),
      onFailure: (error) => {
        throw error
      },
    })
    await keeper.move()
    return keeper
  }

  /** Runs one transaction and lets the history know of its end. */
  commit(sql: string): void {
    this.database.exec(`begin; ${sql}; commit`)
    this.keeper.noteCommit()
  }

  get state() {
    return readHistoryState(this.keeper.history)
  }

  /** All versions of a table: position, operation, key and columns. */
  versions(name: string): unknown[][] {
    const { history } = this.keeper
    const id = history.prepare('select max(id) from history_table where name = ?').pluck().get(name)
    const table = readAllHistoryTables(history).find((it) => it.id === id) as HistoryTable
    const columns = ['position', 'op', ...columnsOf(history, table)]
    return history
      .prepare(`select ${columns.join(', ')} from ${versionTable(table)} order by id`)
      .raw()
      .all() as unknown[][]
  }

  /** Operation, key and columns of all versions of a table, as text. */
  story(name: string): string[] {
    return this.versions(name).map((row) => row.slice(1).map(String).join(' '))
  }

  kinds(): unknown[] {
    return this.keeper.history
      .prepare("select kind from history_transaction where kind <> 'schema' order by position")
      .pluck()
      .all()
  }

  /** The rows of a table as of a position: key, then all columns there ever were. */
  asOf(name: string, position: number): unknown[][] {
    const { history } = this.keeper
    const table = readHistoryTables(history).find((it) => it.name === name)
    return table === undefined
      ? []
      : (history
          .prepare(
            `select * from (${rowsAsOfSql(table, columnsOf(history, table), position)}) order by 1, 2`,
          )
          .raw()
          .safeIntegers()
          .all() as unknown[][])
  }

  /** Proves that the newest state of the history is what the table holds. */
  expectPresent(name: string, key: string, columns: string): void {
    const rows = this.database
      .prepare(`select ${key}, ${columns} from "${name}" order by 1, 2`)
      .raw()
      .safeIntegers()
      .all()
    expect(this.asOf(name, this.state.position)).toEqual(rows)
  }
}
