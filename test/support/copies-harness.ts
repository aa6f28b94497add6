import { expect } from 'vitest'
import type { OlapStore, OlapWriter } from '../../dist/src/olap/olap-store.js'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import type { FindMirror } from '../../dist/sync/history/present-rows.js'
import { VersionCopies } from '../../dist/sync/history/version-copies.js'
import { findServingCopy } from '../../dist/sync/serving-copy.js'
import { openStore } from '../olap/stores.js'
import { HistoryHarness } from './history-harness.js'
import { SyncHarness } from './sync-harness.js'
import { TestWorld } from './test-world.js'

/** What DuckDB's bindings call a statement on its way. */
const statementName = 'query'
const takesFromMirror = /insert into _htap_history\.version_\d+_\d+\(/

/**
 * A database with its history, its mirror, and two copies of the history: one beside the mirror, which may
 * take values from there, and one in a store of its own, which reads them all.
 */
export class CopiesHarness {
  readonly h: HistoryHarness
  readonly mirror: SyncHarness
  readonly #reading: OlapStore
  /** What the copies beside the mirror know of it. */
  findMirror: FindMirror
  /** Called before every statement of DuckDB. */
  onStatement: (sql: string) => void = () => undefined
  #copies: readonly [VersionCopies, VersionCopies] | null = null
  #fills = 0

  private constructor(h: HistoryHarness, mirror: SyncHarness, reading: OlapStore) {
    this.h = h
    this.mirror = mirror
    this.#reading = reading
    this.findMirror = (name) => findServingCopy(mirror.engine, name)
  }

  static async open(schema: string): Promise<CopiesHarness> {
    const world = new TestWorld()
    const h = await HistoryHarness.open(schema)
    const mirror = await SyncHarness.openFile(h.path)
    const harness = new CopiesHarness(h, mirror, await openStore())
    world.onDuckDb = (name, sql) => {
      if (name === statementName) {
        harness.#fills += takesFromMirror.test(sql) ? 1 : 0
        harness.onStatement(sql)
      }
    }
    return harness
  }

  get writer(): OlapWriter {
    return this.mirror.engine.store!.writer
  }

  get tables() {
    return readHistoryTables(this.h.keeper.history)
  }

  /** Brings history and mirror up to date. */
  async settle(): Promise<void> {
    await this.h.keeper.move()
    await this.mirror.mirror(...this.tables.map(({ name }) => name))
    await this.mirror.engine.syncNow()
  }

  /** The copies beside the mirror, and the others. */
  async copies(): Promise<readonly [VersionCopies, VersionCopies]> {
    const { history, versions: reader } = this.h.keeper
    const open = (store: OlapStore, findMirror: FindMirror) =>
      VersionCopies.open({ store, history, reader, findMirror })
    this.#copies ??= [
      await open(this.mirror.engine.store!, (name) => this.findMirror(name)),
      await open(this.#reading, () => null),
    ]
    return this.#copies
  }

  /** Opens the copies anew, as after a restart. */
  reopen(): void {
    this.#copies = null
  }

  /**
   * Brings both copies up to what the history has.
   *
   * @returns how many tables took their values from the mirror
   */
  async catchUp(): Promise<number> {
    const before = this.#fills
    const [fromMirror, reading] = await this.copies()
    await this.mirror.engine.exclusively(() => fromMirror.catchUp(this.tables))
    await reading.catchUp(this.tables)
    return this.#fills - before
  }

  /** Every copied version with its end, from both copies; the same in both. */
  async expectSame(): Promise<void> {
    const [fromMirror, reading] = await this.copies()
    for (const table of this.tables) {
      const read = async (writer: OlapWriter, copies: VersionCopies) => {
        const rows = await writer.values(`select * from ${copies.find(table)?.sqlName} order by id`)
        return rows.map((row) => row.map((value) => `${typeof value} ${String(value)}`).join(', '))
      }
      const expected = await read(this.#reading.writer, reading)
      const actual = await read(this.writer, fromMirror)
      const different = actual.findIndex((row, index) => row !== expected[index])
      expect([actual.length, actual[different]]).toEqual([expected.length, expected[different]])
      const known = (copies: VersionCopies) => {
        const { versions, lastId } = copies.find(table)!
        return { lastId, storage: versions.storage, misfits: versions.misfits }
      }
      expect(known(fromMirror)).toEqual(known(reading))
    }
  }
}
