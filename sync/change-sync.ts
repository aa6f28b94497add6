import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { reach } from '../src/core/outside-world.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import type { FinishedCopy } from './backfill/table-copier.js'
import { lostPlace } from './capture/change-log.js'
import type { Mirror } from './mirror.js'
import type { ChangePart, ChangeRequest } from './read/change-reader.js'
import type { SourceAccess } from './read/source-access.js'
import { isExpected, type SourceReader, type SourceReaders } from './read/source-reader.js'
import { SourceStateReader } from './read/source-state.js'
import type { SchemaWatch } from './schema-watch.js'
import { noteTableFailure, type TrackedTable } from './tracked-table.js'

export interface ChangeSync {
  /** Applies what is pending now; returns whether more is to be expected at once. */
  run(): Promise<boolean>
  /** A finished copy joins with the next run. */
  register(copy: { readonly tracked: TrackedTable; readonly copy: FinishedCopy }): void
}

interface ChangeSyncProps {
  readonly mirror: Mirror
  readonly access: SourceAccess
  readonly readers: SourceReaders
  readonly tables: ReadonlyMap<string, TrackedTable>
  readonly schema: SchemaWatch
}

export function createChangeSync(props: ChangeSyncProps): ChangeSync {
  return new LogFollower(props)
}

/**
 * One run takes everything that is committed, for all tables, in one read snapshot of SQLite
 * and one transaction of the column store. No limit cuts a source transaction in two.
 */
class LogFollower implements ChangeSync {
  readonly #props: ChangeSyncProps
  readonly #head: SourceStateReader['head']
  #joining: { readonly tracked: TrackedTable; readonly copy: FinishedCopy }[] = []
  readonly #recount = new Set<number>()
  /** Tables whose changes could not be applied once. */
  readonly #poisoned = new Set<number>()
  #takenOff = 0

  constructor(props: ChangeSyncProps) {
    this.#props = props
    let reader: SourceStateReader | null = null
    this.#head = () =>
      props.access.readNow((database) => {
        reader ??= new SourceStateReader(database)
        return reader.head()
      }) ?? Number.MAX_SAFE_INTEGER
  }

  register(copy: { readonly tracked: TrackedTable; readonly copy: FinishedCopy }): void {
    this.#joining.push(copy)
  }

  async run(): Promise<boolean> {
    const { mirror } = this.#props
    for (let attempt = 1; attempt <= limits.syncAttemptsMax; attempt++) {
      const head = this.#head()
      if (head === mirror.position && this.#joining.length === 0) {
        return false
      }
      const takenOff = this.#takenOff
      if (await this.#apply(head)) {
        return true
      }
      if (this.#takenOff > takenOff) {
        // Another start, with fewer tables.
        attempt = 0
      }
    }
    throw new HtapError('sync-failed', 'the source kept changing under the sync')
  }

  /** False when the source was not as expected and the run has to start over. */
  async #apply(head: number): Promise<boolean> {
    const { mirror, schema } = this.#props
    // Copies that register from now on wait for the next run.
    const joining = [...this.#joining]
    const { requests, tables } = this.#requests(joining)
    const expected = mirror.expected(schema.version)
    const stream = this.#chooseReader(requests, head).changes({ expected, requests })
    try {
      const first = await stream.next()
      if (first.done || first.value.type !== 'state') {
        throw new HtapError('sync-failed', 'the reader of changes sent no state')
      }
      const state = first.value
      if (!isExpected(state, expected)) {
        await stream.return()
        if (state.epoch !== expected.epoch || state.consumerPosition === null) {
          throw lostPlace()
        }
        await schema.reload(false)
        this.#dropChangedCopies()
        return false
      }
      const applied = await mirror.applier.apply({
        parts: stream as AsyncGenerator<ChangePart>,
        position: state.head,
        schemaVersion: state.schemaVersion,
        tables,
        registrations: joining.map((entry) => entry.copy.table),
      })
      if (applied.overfull.length > 0) {
        return this.#handleOverfull(applied.overfull)
      }
      this.#recount.clear()
      this.#poisoned.clear()
      mirror.position = state.head
      await this.#settle(joining, applied.superseded)
      return true
    } catch (error) {
      return await this.#handlePoison(error)
    } finally {
      await stream.return()
    }
  }

  #requests(joining: readonly { readonly copy: FinishedCopy }[]): {
    readonly requests: ChangeRequest[]
    readonly tables: ReadonlyMap<number, MirroredTable>
  } {
    const { mirror } = this.#props
    const joiningIds = new Set(joining.map((entry) => entry.copy.table.tableId))
    const live = [...this.#props.tables.values()].flatMap((table) =>
      table.live === null || joiningIds.has(table.live.tableId) ? [] : [table.live],
    )
    const requests = [
      ...live.map((table) => this.#request(table, mirror.position)),
      ...joining.map((entry) => this.#request(entry.copy.table, entry.copy.position)),
    ]
    const all = [...live, ...joining.map((entry) => entry.copy.table)]
    return { requests, tables: new Map(all.map((table) => [table.tableId, table])) }
  }

  #request(table: MirroredTable, after: number): ChangeRequest {
    return {
      plan: table.plan,
      after,
      count: table.unique.count,
      allKeys: this.#recount.has(table.tableId),
    }
  }

  /** A few changes are read at once; many in the worker, which keeps the event loop free. */
  #chooseReader(requests: readonly ChangeRequest[], head: number): SourceReader {
    const { inline, worker } = this.#props.readers
    const oldest = Math.min(head, ...requests.map((request) => request.after))
    const isSmall = head - oldest <= limits.inlineChangesMax
    const countsLarge = [...this.#props.tables.values()].some(
      (table) =>
        table.live !== null &&
        table.live.unique.count !== 'never' &&
        table.live.rowCount > limits.inlineCountRowsMax,
    )
    return worker === null || (isSmall && !countsLarge && this.#recount.size === 0)
      ? inline
      : worker
  }

  /** REPLACE left rows behind that nothing in the log names: next time compare all keys. */
  #handleOverfull(tableIds: readonly number[]): boolean {
    for (const tableId of tableIds) {
      if (this.#recount.has(tableId)) {
        this.#takeOff(tableId, 'the copy did not add up', null)
      }
      this.#recount.add(tableId)
    }
    return false
  }

  /**
   * The changes of one table cannot be applied: tried once more, then that table leaves the mirror
   * and is copied anew later, and the others go on.
   */
  async #handlePoison(error: unknown): Promise<boolean> {
    const tableId = error instanceof HtapError ? error.facts['tableId'] : undefined
    if (typeof tableId !== 'number') {
      throw error
    }
    // A store that serves nobody is not the fault of a table.
    await this.#props.mirror.store.writer.values('select 1')
    if (this.#poisoned.has(tableId)) {
      this.#takeOff(tableId, 'a change could not be applied', error)
    }
    this.#poisoned.add(tableId)
    return false
  }

  #takeOff(tableId: number, reason: string, error: unknown): void {
    this.#takenOff++
    for (const table of this.#props.tables.values()) {
      if (table.tableId === tableId) {
        Object.assign(table, { state: 'absent', live: null, reason, copyPosition: null })
        if (error !== null) {
          noteTableFailure(table, error)
        }
      }
    }
    this.#joining = this.#joining.filter((entry) => entry.copy.table.tableId !== tableId)
  }

  /** A copy whose table changed before it could join is worthless. */
  #dropChangedCopies(): void {
    for (const { tracked } of this.#joining) {
      tracked.state = 'absent'
      tracked.reason = 'the schema has changed'
      tracked.copyPosition = null
    }
    this.#joining = []
  }

  async #settle(
    joining: readonly { readonly tracked: TrackedTable; readonly copy: FinishedCopy }[],
    superseded: readonly MirroredTable[],
  ) {
    const { catalogue } = this.#props.mirror
    this.#joining = this.#joining.filter((entry) => !joining.includes(entry))
    for (const { tracked, copy } of joining) {
      tracked.live = copy.table
      tracked.shape = copy.table.shape
      tracked.state = 'live'
      tracked.reason = null
      tracked.copyPosition = null
    }
    // Only now may anything else run: position and copies have to change together.
    for (const table of superseded) {
      reach('rebuild.registered')
      await catalogue.dropCopy(table).catch(() => undefined)
      reach('rebuild.dropped')
    }
  }
}
