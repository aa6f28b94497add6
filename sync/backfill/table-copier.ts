import { assert } from '../../src/core/assert.js'
import { type ColumnProfile, emptyColumnProfile } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import { reach } from '../../src/core/outside-world.js'
import type { TableShape } from '../../src/core/table-shape.js'
import type { OlapAppender, OlapWriter } from '../../src/olap/olap-store.js'
import { readSchemaVersion } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { chooseStorage } from '../apply/column-storage.js'
import type { MirrorCatalogue } from '../apply/mirror-catalogue.js'
import { MirroredTable, mirrorSchema } from '../apply/mirrored-table.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import type { LogPlace } from '../capture/log-place.js'
import { BufferPool } from '../read/buffer-pool.js'
import { createReadPlan } from '../read/read-plan.js'
import { RowReader } from '../read/row-reader.js'
import type { SourceAccess } from '../read/source-access.js'
import { type ExpectedSource, isExpected, type SourceReader } from '../read/source-reader.js'
import type { CopyProgress } from '../sync-options.js'

/** A finished copy and the place in the change log from which on it needs the changes. */
export interface FinishedCopy {
  readonly table: MirroredTable
  readonly place: LogPlace
  /** SQLite's schema version that it was made under. */
  readonly schemaVersion: number
}

export interface CopyRequest {
  readonly tableId: number
  readonly shape: TableShape
  readonly rowidLife: number | null
  readonly generation: number
  readonly expected: ExpectedSource
  readonly onProgress: ((progress: CopyProgress) => void) | undefined
  readonly isCancelled: () => boolean
  /** Called with the position of the copy's snapshot: later changes must stay in the log. */
  readonly onPosition: (position: number) => void
}

/**
 * Makes the first copy of a table. Storage is chosen from a sample; when a later value does not
 * fit, the copy is made again with what the whole table showed. The writer of the column
 * store is held for one row group at a time, so that other tables stay fresh meanwhile.
 */
export class TableCopier {
  readonly #access: SourceAccess
  readonly #reader: SourceReader
  readonly #writer: OlapWriter
  readonly #catalogue: MirrorCatalogue
  readonly #exclusively: <T>(section: () => Promise<T>) => Promise<T>

  constructor(props: {
    readonly access: SourceAccess
    readonly reader: SourceReader
    readonly writer: OlapWriter
    readonly catalogue: MirrorCatalogue
    readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
  }) {
    this.#access = props.access
    this.#reader = props.reader
    this.#writer = props.writer
    this.#catalogue = props.catalogue
    this.#exclusively = props.exclusively
  }

  /** Null when the source changed under the copy or the copy was cancelled. */
  async copy(request: CopyRequest): Promise<FinishedCopy | null> {
    const sampled = await this.#sample(request)
    if (sampled === null) {
      return null
    }
    let profiles = sampled
    for (let attempt = 1; ; attempt++) {
      const storage = request.shape.columns.map((column, index) =>
        chooseStorage(column, profiles[index] as ColumnProfile),
      )
      const table = new MirroredTable({
        tableId: request.tableId,
        shape: request.shape,
        generation: request.generation,
        storage,
        profiles: request.shape.columns.map(() => emptyColumnProfile),
        rowidLife: request.rowidLife,
        rowCount: 0,
      })
      const place = await this.#fill(table, request)
      if (place === null) {
        await this.#exclusively(() => this.#catalogue.dropCopy(table))
        return null
      }
      if (!table.canWiden || attempt === limits.copyAttemptsMax) {
        await this.#exclusively(() => this.#catalogue.measure(table))
        return { table, place, schemaVersion: request.expected.schemaVersion }
      }
      profiles = table.profiles
    }
  }

  /** Null when the source has changed. */
  async #sample(request: CopyRequest): Promise<readonly ColumnProfile[] | null> {
    const plan = createReadPlan(
      request.tableId,
      request.shape,
      request.shape.columns.map(() => 'utf8' as const),
    )
    const slice = await this.#access.read((database) =>
      isUnchanged(database, request)
        ? new RowReader(database, plan, new BufferPool()).read()
        : 'moved',
    )
    if (slice === 'moved') {
      return null
    }
    const offset = plan.hasExtraRowid ? 1 : 0
    return request.shape.columns.map(
      (_, index) => slice?.profiles[index + offset] ?? emptyColumnProfile,
    )
  }

  /** Returns the place of the snapshot, null if there was none to be had. */
  async #fill(table: MirroredTable, request: CopyRequest): Promise<LogPlace | null> {
    const parts = this.#reader.rows({ expected: request.expected, plan: table.plan })
    try {
      const first = await parts.next()
      assert(!first.done && first.value.type === 'state', 'a reader begins with the state')
      if (!isExpected(first.value, request.expected)) {
        return null
      }
      const place = first.value.head
      request.onPosition(place.position)
      reach('backfill.begin')
      const progress = new CopyMeter(request, await this.#estimateRows(table, request))
      await this.#exclusively(() => this.#catalogue.createCopy(table))
      reach('backfill.table-created')
      for (let isDone = false; !isDone; ) {
        if (request.isCancelled()) {
          return null
        }
        const end = await this.#exclusively(() => this.#fillRowGroup(table, parts, progress))
        if (end === 'moved') {
          return null
        }
        isDone = end === 'done'
      }
      progress.finish()
      return place
    } finally {
      await parts.return()
    }
  }

  /** One transaction of at most a row group; returns how far it got. */
  async #fillRowGroup(
    table: MirroredTable,
    parts: ReturnType<SourceReader['rows']>,
    progress: CopyMeter,
  ): Promise<'more' | 'done' | 'moved'> {
    await this.#writer.execute('begin')
    let appender: OlapAppender | null = null
    try {
      appender = await this.#writer.appender(
        { catalog: null, schema: mirrorSchema, table: table.copyName },
        table.plan.kinds,
      )
      let rows = 0
      let end: 'more' | 'done' | 'moved' = 'more'
      while (rows < limits.copyTransactionRowsMax) {
        const part = await parts.next()
        if (part.done || part.value.type !== 'rows') {
          end = part.done ? 'done' : 'moved'
          break
        }
        for (const batch of part.value.rows) {
          appender.append(batch)
          rows += batch.rowCount
        }
        appender.flush()
        table.mergeProfiles(part.value.profiles)
        reach('backfill.page')
        await turnOfLoop()
      }
      appender.close()
      appender = null
      await this.#writer.execute('commit')
      reach('backfill.page-committed')
      progress.add(rows)
      return end
    } catch (error) {
      appender?.close()
      await this.#writer.execute('rollback').catch(() => undefined)
      throw error
    }
  }

  /** From the key range of a rowid table, without a scan. */
  async #estimateRows(table: MirroredTable, request: CopyRequest): Promise<number | null> {
    if (table.shape.withoutRowid) {
      return null
    }
    const [key] = table.plan.keys
    const sql = `select (select max(${key}) from ${table.plan.table}) - (select min(${key}) from ${table.plan.table}) + 1`
    return await this.#access.read((database) => {
      const range = isUnchanged(database, request)
        ? database.prepare(sql).pluck().safeIntegers(false).get()
        : null
      return typeof range === 'number' ? range : 0
    })
  }
}

/** The table is still the one that is to be copied. */
function isUnchanged(database: SqliteDatabase, request: CopyRequest): boolean {
  return readSchemaVersion(database) === request.expected.schemaVersion
}

/** Reports how a copy gets on. */
class CopyMeter {
  readonly #request: CopyRequest
  readonly #rowsTotal: number | null
  readonly #startMs = performance.now()
  #rows = 0

  constructor(request: CopyRequest, rowsTotal: number | null) {
    this.#request = request
    this.#rowsTotal = rowsTotal
  }

  add(rows: number): void {
    this.#rows += rows
    this.#report(false)
  }

  finish(): void {
    this.#report(true)
  }

  #report(done: boolean): void {
    const elapsedMs = Math.max(1, performance.now() - this.#startMs)
    const rowsPerSecond = (this.#rows / elapsedMs) * 1000
    const rowsLeft = this.#rowsTotal === null ? null : Math.max(0, this.#rowsTotal - this.#rows)
    try {
      this.#request.onProgress?.({
        table: this.#request.shape.name,
        rows: this.#rows,
        rowsTotal: done ? this.#rows : this.#rowsTotal,
        rowsPerSecond,
        remainingMs: done
          ? 0
          : rowsLeft === null || rowsPerSecond === 0
            ? null
            : (rowsLeft / rowsPerSecond) * 1000,
        done,
      })
    } catch {
      // What the application makes of it does not stop the copy.
    }
  }
}
