import type { ColumnBatch, ColumnKind } from '../../src/core/column-batch.js'
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
import { createReadPlan, type TableReadPlan } from '../read/read-plan.js'
import { RowReader, type RowSlice } from '../read/row-reader.js'
import type { HistoryTable } from './history-table.js'
import { operationCode } from './operation-code.js'
import { versionShape } from './version-shape.js'

/** The schema of the column store that holds copies of the history. */
export const copySchema = '_htap_history'

/** Where a version ends that has not ended: behind every position. */
export const noEnd = 9223372036854775807n

const endless = new BigInt64Array(limits.batchRowsMax).fill(noEnd)

/**
 * The versions of one table in the column store, each with the position at which it ends. So a look at
 * any moment is a scan with two comparisons, of columns that hardly vary among neighbours. The end is
 * all that ever changes, and a column of integers without an index is changed in its place.
 */
export class CopiedVersions {
  readonly history: HistoryTable
  readonly generation: number
  readonly cuts: number
  readonly versions: MirroredTable
  /** The column of `version_<id>` that is left out here, as the key holds the same; null where there is none. */
  readonly rowidColumn: string | null
  readonly #writer: OlapWriter
  /** The newest version that is in the copy. */
  lastId: number
  /** What was until then is all here. Whatever asks must not look behind it: an end may be there before its version. */
  position = 0

  constructor(
    writer: OlapWriter,
    { history, generation, cuts, versions, rowidColumn, lastId }: CopiedVersionsProps,
  ) {
    this.#writer = writer
    this.history = history
    this.generation = generation
    this.cuts = cuts
    this.versions = versions
    this.rowidColumn = rowidColumn
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

  /** How its versions are read from the history. */
  get plan(): TableReadPlan {
    return withCodes(this.versions.plan)
  }

  /** As queries call it. Its columns are those of `version_<id>`, with a code for `op`, and `until`. */
  get sqlName(): string {
    return `${copySchema}.${this.#name}`
  }

  /** A column of `version_<id>`: which one holds it here, its kind, and what was seen in it. */
  column(name: string): CopiedColumn {
    const held = name === this.rowidColumn ? (this.history.keys[0] ?? name) : name
    const index = this.versions.shape.columns.findIndex((column) => column.name === held)
    return {
      name: held,
      storage: this.versions.storage[index] as ColumnKind,
      profile: this.versions.profiles[index] as ColumnProfile,
    }
  }

  async create(): Promise<void> {
    await this.#writer.execute(
      `create or replace table ${this.sqlName}(${this.#columns()}, until bigint not null)`,
    )
  }

  /**
   * Adds what came since.
   *
   * @param slices of the versions after `lastId`, in their order
   * @param register SQL that notes in the same transaction how far the copy is
   */
  async fill(slices: AsyncIterator<RowSlice>, register: () => string): Promise<void> {
    let added = 0
    for (let isDone = false; !isDone; ) {
      const { lastId } = this
      await this.#writer.execute('begin')
      try {
        const rows = await this.#fillOnce(slices, register)
        added += rows
        isDone = rows < limits.copyTransactionRowsMax
      } catch (error) {
        this.lastId = lastId
        await this.#writer.execute('rollback').catch(() => undefined)
        throw error
      }
    }
    if (added > limits.batchRowsMax && added > this.lastId / 4) {
      await this.#compress()
    }
  }

  /**
   * Until a checkpoint, ends lie beside the column that they change: no scan can leave out the versions that ended
   * before its moment, which makes it two to four times as long. A checkpoint may write the whole
   * column, so many versions have to be new.
   */
  async #compress(): Promise<void> {
    // The writer is ours, but a query that still runs may stand in the way. A later one will do.
    await this.#writer.execute('checkpoint').catch(() => undefined)
  }

  /** One transaction; returns how many versions it added. */
  async #fillOnce(slices: AsyncIterator<RowSlice>, register: () => string): Promise<number> {
    const { lastId } = this
    const rows = await this.#append(slices)
    if (rows > 0) {
      await this.#endVersions(lastId)
    }
    await this.#writer.execute(`${register()} commit`)
    return rows
  }

  /** Appends versions as if none of them had ended; returns how many. */
  async #append(slices: AsyncIterator<RowSlice>): Promise<number> {
    const appender = await this.#writer.appender(
      { catalog: null, schema: copySchema, table: this.#name },
      [...this.plan.kinds, 'int64'],
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
          appender.append(withoutEnd(part))
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
   * Notes the ends that the versions after `lastId` bring: of the versions before, which they follow, and
   * of those among themselves that are followed or are ends of rows.
   */
  async #endVersions(lastId: number): Promise<void> {
    const keys = this.history.keys.join(', ')
    const next = `htap_next_${this.history.id}`
    const isSameKey = this.history.keys.map((key) => `v.${key} = n.${key}`).join(' and ')
    await this.#writer.execute(`
      create or replace temp table ${next} as
        select ${keys}, arg_min(position, id) as position, count(*) > 1 or bool_or(op = ${operationCode.end}) as ends
        from ${this.sqlName} where id > ${lastId} group by ${keys};
      update ${this.sqlName} v set until = n.position from temp.main.${next} n
        where ${isSameKey} and v.id <= ${lastId} and v.until = ${noEnd}`)
    const [ends] = await this.#writer.values(`select count_if(ends) from temp.main.${next}`)
    const within = `
      update ${this.sqlName} v set until = e.until from (
        select id, if(op = ${operationCode.end}, position, lead(position) over (partition by ${keys} order by id)) as until
        from ${this.sqlName} where id > ${lastId}) e
      where v.id = e.id and e.until is not null;`
    await this.#writer.execute(`${ends?.[0] === 0n ? '' : within} drop table temp.main.${next}`)
  }

  get #name(): string {
    return `${copyPrefix(this.history.id)}${this.generation}`
  }

  #columns(): string {
    return this.versions.shape.columns
      .map(({ name }, index) => {
        return `${quoteIdentifier(name)} ${duckDbType(this.versions.storage[index] ?? 'utf8')}`
      })
      .join(', ')
  }
}

/** Where a copy holds a column of `version_<id>`. */
interface CopiedColumn {
  readonly name: string
  readonly storage: ColumnKind
  readonly profile: ColumnProfile
}

interface CopiedVersionsProps {
  readonly history: HistoryTable
  readonly generation: number
  /** What `readCuts` said when the copy was begun. */
  readonly cuts: number
  /** `version_<id>` of the history file as a table like any other. */
  readonly versions: MirroredTable
  readonly rowidColumn: string | null
  readonly lastId: number
}

/** What the names of all copies of a table begin with, by its `HistoryTable.id`. */
export function copyPrefix(id: number): string {
  return `version_${id}_`
}

function withoutEnd(part: ColumnBatch): ColumnBatch {
  const values = endless.subarray(0, part.rowCount)
  return {
    rowCount: part.rowCount,
    columns: [...part.columns, { kind: 'int64', nullCount: 0, validity: null, values }],
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
  return new RowReader(history, withCodes(plan), new BufferPool()).read()?.profiles ?? []
}

function withCodes(plan: TableReadPlan): TableReadPlan {
  const selections = plan.selections.map((sql) => (sql === '"op"' ? operationCode.of : sql))
  return { ...plan, selections }
}
