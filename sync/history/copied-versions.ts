import type { ColumnKind } from '../../src/core/column-batch.js'
import { type ColumnProfile, emptyColumnProfile } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape, TableShape } from '../../src/core/table-shape.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { historySchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { duckDbType } from '../apply/mirror-catalogue.js'
import { MirroredTable } from '../apply/mirrored-table.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { BufferPool } from '../read/buffer-pool.js'
import { createReadPlan } from '../read/read-plan.js'
import { RowReader, type RowSlice } from '../read/row-reader.js'
import { allColumns, type HistoryTable } from './history-table.js'

/** The schema of the column store that holds copies of the history. */
export const copySchema = '_htap_history'

/**
 * The versions of one table in the column store, in two tables: those of rows that are there still,
 * and those that have ended, which have the position at which they did. So a look at any moment is a
 * scan with two comparisons, and nothing that stands there is ever changed.
 */
export class CopiedVersions {
  readonly history: HistoryTable
  readonly generation: number
  /** `version_<id>` of the history file as a table like any other. */
  readonly versions: MirroredTable
  readonly #writer: OlapWriter
  /** The newest version that is in the copy. */
  lastId: number

  constructor(
    writer: OlapWriter,
    history: HistoryTable,
    generation: number,
    versions: MirroredTable,
    lastId: number,
  ) {
    this.#writer = writer
    this.history = history
    this.generation = generation
    this.versions = versions
    this.lastId = lastId
  }

  /** An empty copy of versions that hold what was seen in them. */
  static describe(
    history: SqliteDatabase,
    table: HistoryTable,
    profiles: readonly ColumnProfile[] | null,
    choose: (column: ColumnShape, profile: ColumnProfile) => ColumnKind,
  ): MirroredTable {
    const shape = versionShape(history, table)
    const seen = profiles ?? sample(history, table, shape)
    return new MirroredTable({
      tableId: table.id,
      shape,
      generation: 0,
      storage: shape.columns.map((column, index) =>
        choose(column, seen[index] ?? emptyColumnProfile),
      ),
      profiles: shape.columns.map(() => emptyColumnProfile),
      rowCount: 0,
      schema: historySchema,
    })
  }

  get open(): string {
    return `${copySchema}.${this.#openName}`
  }

  get closed(): string {
    return `${copySchema}.closed_${this.history.id}_${this.generation}`
  }

  /** The kind of a column of `version_<id>`, and what was seen in it. */
  column(name: string): { readonly storage: ColumnKind; readonly profile: ColumnProfile } {
    const index = this.versions.shape.columns.findIndex((column) => column.name === name)
    return {
      storage: this.versions.storage[index] as ColumnKind,
      profile: this.versions.profiles[index] as ColumnProfile,
    }
  }

  async create(): Promise<void> {
    const columns = this.#columns()
    await this.#writer.execute(`
      create or replace table ${this.open}(${columns});
      create or replace table ${this.closed}(${columns}, until bigint)`)
  }

  async drop(): Promise<void> {
    await this.#writer.execute(
      `drop table if exists ${this.open}; drop table if exists ${this.closed}`,
    )
  }

  /**
   * Adds what came since.
   *
   * @param slices of the versions after `lastId`, in their order
   * @param register SQL that notes in the same transaction how far the copy is
   */
  async fill(slices: AsyncIterator<RowSlice>, register: () => string): Promise<void> {
    for (let isDone = false; !isDone; ) {
      const { lastId } = this
      await this.#writer.execute('begin')
      try {
        isDone = await this.#fillOnce(slices, register)
      } catch (error) {
        this.lastId = lastId
        await this.#writer.execute('rollback').catch(() => undefined)
        throw error
      }
    }
  }

  /** One transaction; true at the end. */
  async #fillOnce(slices: AsyncIterator<RowSlice>, register: () => string): Promise<boolean> {
    const { lastId } = this
    const rows = await this.#append(slices)
    if (rows > 0) {
      await this.#writer.execute(this.#closeSql(lastId))
    }
    await this.#writer.execute(`${register()} commit`)
    return rows < limits.copyTransactionRowsMax
  }

  /** Appends versions as if none of them had ended; returns how many. */
  async #append(slices: AsyncIterator<RowSlice>): Promise<number> {
    const appender = await this.#writer.appender(
      { catalog: null, schema: copySchema, table: this.#openName },
      this.versions.plan.kinds,
    )
    let rows = 0
    try {
      while (rows < limits.copyTransactionRowsMax) {
        const slice = await slices.next()
        if (slice.done) {
          break
        }
        for (const part of slice.value.rows) {
          const [id] = part.columns
          this.lastId = id?.kind === 'int64' ? Number(id.values[part.rowCount - 1]) : this.lastId
          appender.append(part)
          rows += part.rowCount
        }
        appender.flush()
        this.versions.mergeProfiles(slice.value.profiles)
        await turnOfLoop()
      }
    } finally {
      appender.close()
    }
    return rows
  }

  /**
   * Moves the versions that have ended to their place: those that a version after `lastId` follows, and
   * those that are the end themselves. Few columns are looked at; whole rows are moved once only.
   */
  #closeSql(lastId: number): string {
    const { keys } = this.history
    const next = `temp.main.htap_next_${this.history.id}`
    const ended = `temp.main.htap_ended_${this.history.id}`
    return `
      create or replace temp table htap_next_${this.history.id} as
        select id, position, op, ${keys.join(', ')},
          lead(position) over w as until, row_number() over w as nth
        from ${this.open} where id > ${lastId}
        window w as (partition by ${keys.join(', ')} order by id);
      create or replace temp table htap_ended_${this.history.id} as
        select o.id, n.position as until from ${this.open} o join ${next} n
          on ${keys.map((key) => `o.${key} = n.${key}`).join(' and ')} and n.nth = 1
        where o.id <= ${lastId}
        union all
        select id, if(op = 'D', position, until) from ${next} where until is not null or op = 'D';
      insert into ${this.closed} select o.*, e.until from ${this.open} o join ${ended} e on o.id = e.id;
      delete from ${this.open} o using ${ended} e where o.id = e.id;
      drop table ${next};
      drop table ${ended};`
  }

  get #openName(): string {
    return `open_${this.history.id}_${this.generation}`
  }

  #columns(): string {
    return this.versions.shape.columns
      .map(({ name }, index) => {
        return `${quoteIdentifier(name)} ${duckDbType(this.versions.storage[index] ?? 'utf8')}`
      })
      .join(', ')
  }
}

/** The columns of `version_<id>`: its own three, the key, all columns the table ever had. */
export function versionShape(history: SqliteDatabase, table: HistoryTable): TableShape {
  const column = (name: string, affinity: ColumnShape['affinity']): ColumnShape => ({
    name,
    declaredType: '',
    affinity,
    notNull: false,
    collation: 'BINARY',
    generated: false,
  })
  return {
    name: `version_${table.id}`,
    sql: '',
    withoutRowid: false,
    strict: false,
    rowidAlias: 'id',
    rowidKeyword: 'rowid',
    primaryKey: ['id'],
    indexes: [],
    columns: [
      column('id', 'integer'),
      column('position', 'integer'),
      column('op', 'text'),
      ...[...table.keys, ...allColumns(history, table)].map((name) => column(name, 'blob')),
    ],
  }
}

/** What the first versions hold. */
function sample(
  history: SqliteDatabase,
  table: HistoryTable,
  shape: TableShape,
): readonly ColumnProfile[] {
  const plan = createReadPlan(
    table.id,
    shape,
    shape.columns.map(() => 'utf8' as const),
    historySchema,
  )
  return new RowReader(history, plan, new BufferPool()).read()?.profiles ?? []
}
