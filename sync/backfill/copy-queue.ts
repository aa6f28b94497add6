import { assert } from '../../src/core/assert.js'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { reach, uniqueId } from '../../src/core/outside-world.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { readSchemaVersion, readTableShape } from '../../src/oltp/catalogue.js'
import { ensureRowidLife, hasLooseRowids } from '../capture/rowid-life.js'
import { captureTable } from '../capture/table-capture.js'
import { refuseCapture } from '../capture/triggers.js'
import type { Mirror } from '../mirror.js'
import type { SourceAccess } from '../read/source-access.js'
import type { SourceReader } from '../read/source-reader.js'
import { writePatiently } from '../read/write-patiently.js'
import type { SchemaWatch } from '../schema-watch.js'
import type { SyncOptions } from '../sync-options.js'
import { noteTableFailure, type TrackedTable } from '../tracked-table.js'
import { type FinishedCopy, TableCopier } from './table-copier.js'

interface CopyQueueProps {
  readonly mirror: Mirror
  readonly access: SourceAccess
  readonly reader: SourceReader
  readonly schema: SchemaWatch
  readonly options: SyncOptions
  readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
  readonly register: (copy: { readonly tracked: TrackedTable; readonly copy: FinishedCopy }) => void
  readonly syncNow: () => Promise<void>
  readonly onChange: () => void
  readonly onFailure: (error: unknown) => void
  readonly isClosing: () => boolean
}

/** Makes the copies that were asked for, one after the other. */
export class CopyQueue {
  readonly #props: CopyQueueProps
  readonly #copier: TableCopier
  readonly #waiting: TrackedTable[] = []
  #running: Promise<void> | null = null

  constructor(props: CopyQueueProps) {
    this.#props = props
    this.#copier = new TableCopier({
      access: props.access,
      reader: props.reader,
      writer: props.mirror.store.writer,
      catalogue: props.mirror.catalogue,
      exclusively: props.exclusively,
    })
  }

  add(table: TrackedTable): void {
    if (!table.isCopying) {
      table.isCopying = true
      this.#waiting.push(table)
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Copies a table anew and waits for the end of it. */
  async rebuild(table: TrackedTable): Promise<void> {
    await this.#running
    table.isCopying = true
    const { lastError } = table
    await this.#copy(table)
    if (table.lastError !== lastError) {
      throw table.lastError
    }
  }

  async close(): Promise<void> {
    for (const table of this.#waiting.splice(0)) {
      table.isCopying = false
    }
    await this.#running?.catch(() => undefined)
  }

  async #run(): Promise<void> {
    for (let table = this.#waiting.shift(); table !== undefined; table = this.#waiting.shift()) {
      await this.#copy(table)
    }
  }

  async #copy(table: TrackedTable): Promise<void> {
    try {
      const captured = await this.#capture(table)
      if (captured === null) {
        return
      }
      const copy = await this.#copier.copy({
        tableId: captured.tableId,
        shape: captured.shape,
        rowidLife: captured.rowidLife,
        generation: newGeneration(),
        // Not the version that is known by now: the shape is of this one.
        expected: this.#props.mirror.expected(captured.schemaVersion),
        onProgress: this.#props.options.onProgress,
        isCancelled: () => this.#props.isClosing() || this.#isTooSlow(table),
        onPosition: (position) => {
          table.copyPosition = position
        },
      })
      if (copy === null && this.#isTooSlow(table)) {
        throw this.#tooSlow(table)
      }
      if (copy === null) {
        await this.#props.schema.reload(false)
        this.#putBack(table, 'the schema changed during the copy')
        return
      }
      reach('backfill.complete')
      this.#props.register({ tracked: table, copy })
      await this.#join(table)
      if (table.live === null) {
        this.#putBack(table, 'the schema changed during the copy')
      }
    } catch (error) {
      this.#fail(table, error)
    } finally {
      table.isCopying = false
      this.#props.onChange()
    }
  }

  /** More changes wait in the log for this copy than may wait there for a whole mirror. */
  #isTooSlow(table: TrackedTable): boolean {
    const { mirror, options } = this.#props
    return (
      table.copyPosition !== null && mirror.position - table.copyPosition > options.logRowsMax / 2
    )
  }

  #tooSlow(table: TrackedTable): HtapError {
    const changesMax = Math.floor(this.#props.options.logRowsMax / 2)
    return new HtapError(
      'sync-failed',
      `more than ${changesMax} changes came while ${table.name} was copied`,
      { hint: 'raise `sync.logRowsMax`', facts: { table: table.name, changesMax } },
    )
  }

  /** Waits until the copy has caught up with the others, or was found worthless. */
  async #join(table: TrackedTable): Promise<void> {
    for (let attempt = 1; table.copyPosition !== null && !this.#props.isClosing(); attempt++) {
      assert(
        attempt <= limits.syncFailuresMax,
        'a copy joins with a sync that succeeds, and after so many that fail the mirror is given up',
      )
      await this.#props.syncNow()
      if (table.copyPosition !== null) {
        await new Promise((resolve) => setTimeout(resolve, limits.joinRetryMs))
      }
    }
  }

  /** Puts the triggers in place; null when the table is refused. */
  async #capture(table: TrackedTable): Promise<Captured | null> {
    const result = await writePatiently(this.#props.access, (database) => {
      const before = readSchemaVersion(database)
      const shape = readTableShape(database, table.name)
      if ('refused' in shape) {
        return shape
      }
      const refused = refuseCapture(shape)
      if (refused !== null) {
        return { refused }
      }
      const tableId = captureTable(database, shape)
      const rowidLife = hasLooseRowids(shape) ? ensureRowidLife(database) : null
      reach('capture.in-transaction')
      return { tableId, shape, rowidLife, before, schemaVersion: readSchemaVersion(database) }
    })
    reach('capture.committed')
    if ('refused' in result) {
      table.state = 'refused'
      table.reason = result.refused
      return null
    }
    this.#props.schema.advance(result.before, result.schemaVersion)
    if (this.#props.schema.version !== result.schemaVersion) {
      await this.#props.schema.reload(false)
    }
    table.tableId = result.tableId
    table.shape = result.shape
    return result
  }

  #putBack(table: TrackedTable, reason: string): void {
    table.copyPosition = null
    if (table.live === null && table.state !== 'refused') {
      table.state = 'absent'
      table.reason = reason
    }
  }

  #fail(table: TrackedTable, error: unknown): void {
    noteTableFailure(table, error)
    this.#putBack(table, 'the copy failed')
    this.#props.onFailure(error)
  }
}

/** A table whose changes are being logged, as it was when that was made sure. */
interface Captured {
  readonly tableId: number
  readonly shape: TableShape
  readonly rowidLife: number | null
  readonly schemaVersion: number
}

/** 48 bits of chance: a clock that stands still or goes back would name a copy that serves. */
function newGeneration(): number {
  return Number.parseInt(uniqueId().replace('-', '').slice(0, 12), 16)
}
