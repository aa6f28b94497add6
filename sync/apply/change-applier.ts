import { assert } from '../../src/core/assert.js'
import type { ColumnBatch } from '../../src/core/column-batch.js'
import { reach } from '../../src/core/outside-world.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { OlapAppender, OlapWriter } from '../../src/olap/olap-store.js'
import type { LogPlace } from '../capture/log-place.js'
import type { ChangePart, ChangeSlice, KeySlice, TableEnd } from '../read/change-reader.js'
import type { AppliedChanges } from './applied-changes.js'
import { joinKeys, type KeyList, keyLiterals, keyOf, rowidRange } from './key-list.js'
import { KeyTables } from './key-tables.js'
import type { MirrorCatalogue } from './mirror-catalogue.js'
import { type MirroredTable, mirrorSchema } from './mirrored-table.js'
import { tableFailure } from './table-failure.js'
import { turnOfLoop } from './turn-of-loop.js'

/**
 * Applies a stream of changes in one DuckDB transaction:
 *
 * 1. begin
 * 2. per slice of changed keys: delete the keys, append the rows they have now, delete rows
 *    whose unique values a changed row has taken over
 * 3. per table: where needed, compare the number of rows with SQLite's
 * 4. register what is new, write the position, commit
 *
 * No UPDATE and no MERGE: on a columnar table they cost ten times a delete and an append.
 */
export class ChangeApplier {
  readonly #writer: OlapWriter
  readonly #catalogue: MirrorCatalogue
  readonly #keyTables: KeyTables

  constructor(writer: OlapWriter, catalogue: MirrorCatalogue) {
    this.#writer = writer
    this.#catalogue = catalogue
    this.#keyTables = new KeyTables(writer)
  }

  /**
   * @throws HtapError `sync-failed` with `facts.tableId` where the changes of one table are to blame;
   * nothing was committed
   *
   * @param parts the changes up to `place`, without the state part
   * @param tables the copies that follow; any other one leaves the mirror
   * @param registrations of them, those that nobody could read before
   */
  async apply(props: {
    readonly parts: AsyncIterable<ChangePart>
    readonly place: LogPlace
    readonly schemaVersion: number
    readonly tables: ReadonlyMap<number, MirroredTable>
    readonly registrations: readonly MirroredTable[]
  }): Promise<AppliedChanges> {
    const run = new ApplyRun(this.#writer, props.tables, this.#keyTables)
    try {
      reach('apply.begin')
      for await (const part of props.parts) {
        await run.add(part)
      }
      if (run.overfull.length > 0) {
        await run.rollback()
        return { changeCount: 0, overfull: run.overfull, superseded: [] }
      }
      const registrations = new Set([...props.registrations, ...run.changedProfiles])
      const sql = [
        ...[...registrations].map((table) => this.#catalogue.registerSql(table)),
        this.#catalogue.unregisterSql(props.tables),
        this.#catalogue.placeSql(props.place, props.schemaVersion),
      ]
      await run.commit(sql.join(''))
      const superseded = this.#catalogue.noteRegistered(props.tables)
      return { changeCount: run.changeCount, overfull: [], superseded }
    } catch (error) {
      await run.rollback()
      throw error
    }
  }
}

class ApplyRun {
  readonly #writer: OlapWriter
  readonly #tables: ReadonlyMap<number, MirroredTable>
  readonly #keyTables: KeyTables
  readonly overfull: number[] = []
  readonly changedProfiles: MirroredTable[] = []
  readonly #rowCounts = new Map<MirroredTable, number>()
  readonly #keyMaxes = new Map<MirroredTable, bigint>()
  changeCount = 0
  #hasBegun = false
  #rows: OlapAppender | null = null
  #existingKeys: { readonly tableId: number; readonly keyTable: string } | null = null

  constructor(
    writer: OlapWriter,
    tables: ReadonlyMap<number, MirroredTable>,
    keyTables: KeyTables,
  ) {
    this.#writer = writer
    this.#tables = tables
    this.#keyTables = keyTables
  }

  async add(part: ChangePart): Promise<void> {
    const table = this.#tables.get(part.tableId)
    assert(table !== undefined, 'changes come of tables that were asked for')
    try {
      await this.#add(table, part)
    } catch (cause) {
      throw tableFailure(table, cause)
    }
  }

  async #add(table: MirroredTable, part: ChangePart): Promise<void> {
    switch (part.type) {
      case 'changes':
        return this.#change(table, part)
      case 'keys':
        return this.#collectKeys(table, part)
      case 'end':
        return this.#end(table, part)
      case 'failure':
        throw part.error
    }
  }

  async commit(sql: string): Promise<void> {
    this.#closeRows()
    reach('apply.before-commit')
    // Before the commit: what fails may have been done, and then these keys are there.
    for (const [table, keyMax] of this.#keyMaxes) {
      table.keyMax = keyMax
    }
    await this.#writer.execute(`${this.#hasBegun ? '' : 'begin;'}${sql} commit`)
    reach('apply.after-commit')
    for (const [table, count] of this.#rowCounts) {
      table.rowCount = count
    }
  }

  async rollback(): Promise<void> {
    try {
      this.#closeRows()
    } catch {
      // The rows of a failed appender go with the transaction.
    }
    await this.#writer.execute('rollback').catch(() => undefined)
    // Temporary tables created inside the transaction are gone with it.
    this.#keyTables.forget()
  }

  async #change(table: MirroredTable, slice: ChangeSlice): Promise<void> {
    const keys = await this.#deleteKeys(table, slice.keys)
    let appended = 0
    if (slice.rows.length > 0) {
      const appender = await this.#rowAppender(table)
      for (const batch of slice.rows) {
        appender.append(batch)
        appended += batch.rowCount
      }
      appender.flush()
      if (table.unique.comparable.length > 0) {
        await this.#deleteReplaced(table, keys)
      }
    }
    this.#addRows(table, appended)
    reach('apply.slice')
    await turnOfLoop()
  }

  /** Deletes the changed keys; returns SQL that lists them for the rest of the slice. */
  async #deleteKeys(table: MirroredTable, keys: readonly ColumnBatch[]): Promise<KeyList> {
    const list = await this.#listKeys(table, keys)
    const known = this.#keyMaxes.get(table) ?? table.keyMax
    const range = rowidRange(table, keys)
    if (range !== null && (known === null || range.min > known)) {
      // Keys above all that were ever loaded: plain inserts, nothing to delete.
      this.#keyMaxes.set(table, range.max)
      await this.#begin()
      return list
    }
    if (range !== null && known !== null && range.max > known) {
      this.#keyMaxes.set(table, range.max)
    }
    this.#closeRows()
    await this.#begin()
    await this.#delete(
      table,
      list.type === 'literals'
        ? `where ${keyOf(table)} in (${list.sql})`
        : `using ${list.sql} k where ${joinKeys(table, table.sqlName, 'k')}`,
    )
    return list
  }

  /**
   * Rows that share unique values with a changed row and are not it: REPLACE removed them, or
   * they changed as well and come with a later slice.
   */
  async #deleteReplaced(table: MirroredTable, keys: KeyList): Promise<void> {
    this.#closeRows()
    const isOther = table.keyColumns
      .map((column) => `m.${quoteIdentifier(column)} <> n.${quoteIdentifier(column)}`)
      .join(' or ')
    for (const columns of table.unique.comparable) {
      const isEqual = columns
        .map((column) => `m.${quoteIdentifier(column)} = n.${quoteIdentifier(column)}`)
        .join(' and ')
      const changed =
        keys.type === 'literals'
          ? `(select * from ${table.sqlName} where ${keyOf(table)} in (${keys.sql})) n`
          : `${table.sqlName} n, ${keys.sql} k`
      const ofChanged = keys.type === 'literals' ? '' : `and ${joinKeys(table, 'n', 'k')}`
      await this.#delete(table, `m using ${changed} where ${isEqual} and (${isOther}) ${ofChanged}`)
    }
  }

  /** DuckDB answers a DELETE with the number of rows it took. */
  async #delete(table: MirroredTable, which: string): Promise<void> {
    const [row = []] = await this.#writer.values(`delete from ${table.sqlName} ${which}`)
    this.#addRows(table, -Number(row[0]))
  }

  #addRows(table: MirroredTable, rows: number): void {
    this.#rowCounts.set(table, (this.#rowCounts.get(table) ?? table.rowCount) + rows)
  }

  async #collectKeys(table: MirroredTable, slice: KeySlice): Promise<void> {
    this.#closeRows()
    await this.#begin()
    if (this.#existingKeys?.tableId !== table.tableId) {
      const keyTable = await this.#keyTables.empty('existing', table.plan.keyKinds)
      this.#existingKeys = { tableId: table.tableId, keyTable }
    }
    await this.#keyTables.fill(this.#existingKeys.keyTable, table.plan.keyKinds, slice.keys)
    await turnOfLoop()
  }

  async #end(table: MirroredTable, end: TableEnd): Promise<void> {
    this.#closeRows()
    this.changeCount += end.changeCount
    if (this.#existingKeys?.tableId === table.tableId) {
      await this.#delete(
        table,
        `m where not exists (
           select 1 from ${this.#existingKeys.keyTable} k where ${joinKeys(table, 'm', 'k')})`,
      )
      this.#existingKeys = null
    }
    if (end.rowCount !== null) {
      const [row = []] = await this.#writer.values(`select count(*) from ${table.sqlName}`)
      const count = Number(row[0])
      this.#rowCounts.set(table, count)
      if (count !== end.rowCount) {
        this.overfull.push(table.tableId)
      }
    }
    // Readers learn of new facts before the rows that bring them become visible.
    if (table.mergeProfiles(end.profiles)) {
      this.changedProfiles.push(table)
    }
  }

  async #begin(): Promise<void> {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      await this.#writer.execute('begin')
    }
  }

  async #listKeys(table: MirroredTable, keys: readonly ColumnBatch[]): Promise<KeyList> {
    const literals = keyLiterals(keys)
    if (literals !== null) {
      return { type: 'literals', sql: literals }
    }
    await this.#begin()
    this.#closeRows()
    const keyTable = await this.#keyTables.empty('changed', table.plan.keyKinds)
    await this.#keyTables.fill(keyTable, table.plan.keyKinds, keys)
    return { type: 'table', sql: keyTable }
  }

  async #rowAppender(table: MirroredTable): Promise<OlapAppender> {
    this.#closeRows()
    this.#rows = await this.#writer.appender(
      { catalog: null, schema: mirrorSchema, table: table.copyName },
      table.plan.kinds,
    )
    return this.#rows
  }

  #closeRows(): void {
    this.#rows?.close()
    this.#rows = null
  }
}
