import { isDeepStrictEqual } from 'node:util'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import { quoteText } from '../../src/core/sql-identifier.js'
import type { OlapStore, OlapWriter } from '../../src/olap/olap-store.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { chooseStorage } from '../apply/column-storage.js'
import { addPresentVersions } from './add-present-versions.js'
import { type BroughtIdentities, bringIdentities, newVersions } from './bring-identities.js'
import { CopiedMoments, createMoments } from './copied-moments.js'
import { CopiedVersions, copyPrefix, copySchema } from './copied-versions.js'
import { readCuts } from './cuts.js'
import { readConsumerId, readHistoryState } from './history-schema.js'
import type { HistoryTable } from './history-table.js'
import { type FindMirror, findComingVersion, findPresentRows } from './present-rows.js'
import { restoreCopy, storedColumns, storeSql } from './stored-copy.js'
import { newestVersion } from './version-range.js'
import type { VersionReader } from './version-reader.js'
import { readRowidColumn, versionShape } from './version-shape.js'

/** Raised when the tables below, or copies of versions, change their meaning. */
const layoutVersion = 4

/**
 * Copies of the history in the column store. They are disposable: what is missing, or of another
 * history, is read anew from the history file.
 */
export class VersionCopies {
  readonly #writer: OlapWriter
  readonly #sideWriter: OlapWriter
  readonly #history: SqliteDatabase
  readonly #reader: VersionReader
  readonly #findMirror: FindMirror
  readonly #copies = new Map<number, CopiedVersions>()
  readonly #ahead = new Map<CopiedVersions, BroughtIdentities>()
  readonly #moments: CopiedMoments

  private constructor({ store, history, reader, findMirror }: VersionCopiesProps) {
    this.#writer = store.writer
    this.#sideWriter = store.sideWriter
    this.#history = history
    this.#moments = new CopiedMoments(history)
    this.#reader = reader
    this.#findMirror = findMirror
  }

  /** Takes over what the store has; only for who has the writer to himself, as everything here. */
  static async open(props: VersionCopiesProps): Promise<VersionCopies> {
    const { store, history } = props
    const { writer } = store
    const copies = new VersionCopies(props)
    if (!(await copies.#adopt())) {
      await writer.execute(`
        begin;
        drop schema if exists ${copySchema} cascade;
        create schema ${copySchema};
        create table ${copySchema}.state(layout bigint, history varchar);
        insert into ${copySchema}.state values (${layoutVersion}, ${quoteText(readConsumerId(history))});
        create table ${copySchema}.copied(id bigint, generation bigint, last_id bigint, definition varchar);
        ${createMoments};
        commit`)
    }
    return copies
  }

  find(table: HistoryTable): CopiedVersions | undefined {
    return this.#copies.get(table.id)
  }

  /**
   * Brings what `catchUp` is likely to need, for who is the only one that does either and has not the store to
   * himself yet; true where values are to come from the mirror.
   */
  async bringAhead(tables: readonly HistoryTable[]): Promise<boolean> {
    let isComing = false
    for (const { id } of tables) {
      const copy = this.#copies.get(id)
      const newestId =
        copy === undefined ? null : findComingVersion(this.#history, copy, this.#findMirror)
      if (copy !== undefined && newestId !== null) {
        isComing = true
        await this.#bringOne(copy, newestId).catch(() => {
          // Tried again when its turn comes.
        })
      }
    }
    return isComing
  }

  async #bringOne(copy: CopiedVersions, upTo: number): Promise<void> {
    const brought = await this.#bring(copy, upTo)
    if (brought !== null) {
      this.#ahead.set(copy, brought)
    }
    await this.#moments.catchUp(this.#sideWriter)
  }

  /** Brings the copies of these tables up to what the history has now. */
  async catchUp(tables: readonly HistoryTable[]): Promise<void> {
    const { position } = readHistoryState(this.#history)
    await this.#moments.catchUp(this.#writer)
    for (const table of tables) {
      await this.#catchUp(table, position)
    }
    for (const copy of this.#ahead.keys()) {
      await this.#sideWriter.execute(`drop table if exists ${newVersions(copy)}`)
    }
    this.#ahead.clear()
  }

  /** Versions of these tables were taken out of the history: nothing is left of their copies. */
  async forget(tableIds: readonly number[]): Promise<void> {
    for (const id of tableIds) {
      this.#copies.delete(id)
      await this.#dropCopies(id, null)
      await this.#writer.execute(`delete from ${copySchema}.copied where id = ${id}`)
    }
    await this.#writer.execute('checkpoint').catch(() => undefined)
  }

  /** Drops all copies of a table but this one, also those that nobody knows any more. */
  async #dropCopies(id: number, kept: CopiedVersions | null): Promise<void> {
    const names = await this.#writer.values(
      `select table_name from information_schema.tables
       where table_schema = '${copySchema}' and starts_with(table_name, '${copyPrefix(id)}')`,
    )
    for (const [name] of names) {
      if (`${copySchema}.${name}` !== kept?.sqlName) {
        await this.#writer.execute(`drop table ${copySchema}.${name}`)
      }
    }
  }

  /** False for a store without copies of this history. */
  async #adopt(): Promise<boolean> {
    const [exists] = await this.#writer.values(
      `select count(*) from information_schema.tables
       where table_schema = '${copySchema}' and table_name = 'state'`,
    )
    if (exists?.[0] !== 1n) {
      return false
    }
    const [state] = await this.#writer.values(`select layout, history from ${copySchema}.state`)
    if (state?.[0] !== BigInt(layoutVersion) || state[1] !== readConsumerId(this.#history)) {
      return false
    }
    const rows = await this.#writer.values(
      `select ${storedColumns.join(', ')} from ${copySchema}.copied`,
    )
    for (const row of rows) {
      const copy = restoreCopy(this.#writer, row)
      this.#copies.set(copy.history.id, copy)
    }
    return true
  }

  /** @param position of which the history is known to have all versions */
  async #catchUp(table: HistoryTable, position: number): Promise<void> {
    let copy = this.#copies.get(table.id)
    const shape = versionShape(this.#history, table)
    const isFit =
      copy?.cuts === readCuts(this.#history, table) && isDeepStrictEqual(copy.versions.shape, shape)
    if (copy === undefined || !isFit) {
      copy = await this.#begin(table, copy, null)
    }
    for (let attempt = 1; ; attempt++) {
      const current: CopiedVersions = copy
      await this.#fill(current)
      if (!current.versions.canWiden || attempt === limits.copyAttemptsMax) {
        current.position = position
        return
      }
      copy = await this.#begin(table, current, current.versions.profiles)
    }
  }

  async #fill(copy: CopiedVersions): Promise<void> {
    const isFull = copy.lastId === newestVersion(this.#history, copy.history)
    if (isFull || (await this.#fillFromMirror(copy))) {
      return
    }
    const slices = this.#reader.slices(copy.history, copy.plan, copy.lastId)
    try {
      await copy.fill(slices, () => storeSql(copy))
    } catch (error) {
      await this.#findLast(copy)
      throw error
    } finally {
      await slices.return()
    }
  }

  /** False where the mirror cannot give the values of what is new, and nothing was added. */
  async #fillFromMirror(copy: CopiedVersions): Promise<boolean> {
    const present = findPresentRows(this.#history, copy, this.#findMirror)
    if (present === null) {
      return false
    }
    const writer = this.#sideWriter
    const register = () => storeSql(copy)
    try {
      const ahead = this.#ahead.get(copy)
      const isFit = ahead?.after === copy.lastId && ahead.upTo === present.newestId
      const brought = isFit ? ahead : await this.#bring(copy, present.newestId)
      if (brought === null) {
        return false
      }
      if (!(await addPresentVersions({ writer, copy, present, brought, register }))) {
        return false
      }
      this.#ahead.delete(copy)
      return true
    } catch {
      // Reading them all needs less memory, and fails as well where that was not what was wanting.
      await this.#findLast(copy)
      return false
    }
  }

  async #bring(copy: CopiedVersions, upTo: number): Promise<BroughtIdentities | null> {
    const call = { table: copy.history, after: copy.lastId, upTo }
    const identities = await this.#reader.identities(call)
    return identities === null ? null : await bringIdentities(this.#sideWriter, copy, identities)
  }

  /** A commit that fails may have been done. */
  async #findLast(copy: CopiedVersions): Promise<void> {
    this.#copies.delete(copy.history.id)
    copy.lastId = await this.#lastCopied(copy)
    this.#copies.set(copy.history.id, copy)
  }

  async #lastCopied({ history, generation }: CopiedVersions): Promise<number> {
    const [row] = await this.#writer.values(
      `select last_id from ${copySchema}.copied where id = ${history.id} and generation = ${generation}`,
    )
    return Number(row?.[0] ?? 0)
  }

  async #begin(
    table: HistoryTable,
    before: CopiedVersions | undefined,
    profiles: readonly ColumnProfile[] | null,
  ): Promise<CopiedVersions> {
    const versions = CopiedVersions.describe(this.#history, table, profiles, chooseStorage)
    const copy = new CopiedVersions(this.#writer, {
      history: table,
      generation: (before?.generation ?? 0) + 1,
      cuts: readCuts(this.#history, table),
      versions,
      rowidColumn: readRowidColumn(this.#history, table),
      lastId: 0,
    })
    await copy.create()
    this.#copies.set(table.id, copy)
    await this.#dropCopies(table.id, copy)
    return copy
  }
}

interface VersionCopiesProps {
  readonly store: OlapStore
  readonly history: SqliteDatabase
  readonly reader: VersionReader
  readonly findMirror: FindMirror
}
