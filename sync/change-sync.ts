import { assert } from '../src/core/assert.js'
import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { reach } from '../src/core/outside-world.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import type { FinishedCopy } from './backfill/table-copier.js'
import { isGone, isSamePlace } from './capture/log-place.js'
import { lostPlace } from './capture/lost-place.js'
import type { Mirror } from './mirror.js'
import type { ChangePart, ChangeRequest } from './read/change-reader.js'
import type { SourceAccess } from './read/source-access.js'
import { SourceNow } from './read/source-now.js'
import {
  type ExpectedSource,
  isExpected,
  type SourceReader,
  type SourceReaders,
} from './read/source-reader.js'
import type { SourceState } from './read/source-state.js'
import type { SchemaWatch } from './schema-watch.js'
import { noteTableFailure, type TrackedTable, takeOff } from './tracked-table.js'
import type { TrackedTables } from './tracked-tables.js'

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
  readonly tables: TrackedTables
  readonly schema: SchemaWatch
}

interface JoiningCopy {
  readonly tracked: TrackedTable
  readonly copy: FinishedCopy
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
  readonly #source: SourceNow
  #joining: JoiningCopy[] = []
  readonly #recount = new Set<number>()
  /** Copies that nobody will ever read; the store still holds them. */
  #worthless: MirroredTable[] = []
  /** Tables whose changes could not be applied once. */
  readonly #poisoned = new Set<number>()
  #takenOff = 0

  constructor(props: ChangeSyncProps) {
    this.#props = props
    this.#source = new SourceNow(props.access)
  }

  register(copy: JoiningCopy): void {
    this.#joining.push(copy)
  }

  async run(): Promise<boolean> {
    const { mirror } = this.#props
    for (let attempt = 1; attempt <= limits.syncAttemptsMax; attempt++) {
      // Undefined while a transaction hides it; then reading waits for its end.
      const head = this.#source.head()
      if (head !== undefined && isGone(mirror.place, head)) {
        throw lostPlace()
      }
      const isReached = head !== undefined && isSamePlace(mirror.place, head)
      if (isReached && this.#joining.length === 0) {
        return false
      }
      const takenOff = this.#takenOff
      if (await this.#apply(head?.position ?? Number.MAX_SAFE_INTEGER)) {
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
    await this.#dropUnfit()
    // Copies that register from now on wait for the next run.
    const joining = [...this.#joining]
    const worthless = [...this.#worthless]
    const { requests, tables } = this.#requests(joining)
    const expected = mirror.expected(schema.version)
    const places = [mirror.place, ...joining.map((entry) => entry.copy.place)]
    const stream = this.#chooseReader(requests, head).changes({ expected, places, requests })
    try {
      const first = await stream.next()
      assert(!first.done && first.value.type === 'state', 'a reader begins with the state')
      const state = first.value
      if (!isExpected(state, expected)) {
        await stream.return()
        await this.#comply(state, expected)
        return false
      }
      const applied = await mirror.applier.apply({
        parts: stream as AsyncGenerator<ChangePart>,
        place: state.head,
        schemaVersion: state.schemaVersion,
        tables,
        registrations: joining.map((entry) => entry.copy.table),
      })
      if (applied.overfull.length > 0) {
        return this.#handleOverfull(applied.overfull)
      }
      this.#recount.clear()
      this.#poisoned.clear()
      mirror.place = state.head
      if (schema.version === expected.schemaVersion) {
        this.#join(joining)
      } else {
        this.#refuse(joining)
      }
      await this.#dropCopies([...applied.superseded, ...worthless])
      this.#worthless = this.#worthless.filter((copy) => !worthless.includes(copy))
      return true
    } catch (error) {
      return await this.#handlePoison(error)
    } finally {
      await stream.return()
    }
  }

  /**
   * Takes note of what a snapshot was instead of the expected.
   *
   * @throws HtapError `sync-failed` when the log does not lead on from where the mirror stands
   */
  async #comply(state: SourceState, expected: ExpectedSource): Promise<void> {
    const { mirror, schema } = this.#props
    const isLost = state.lostPositions.includes(mirror.position)
    if (isLost || state.epoch !== expected.epoch || state.consumerPosition === null) {
      throw lostPlace()
    }
    await schema.reload(false)
    this.#turnAway(
      this.#joining.filter(({ copy }) => state.lostPositions.includes(copy.place.position)),
    )
  }

  /** A copy whose table changed before it could join is worthless. */
  async #dropUnfit(): Promise<void> {
    const { schema } = this.#props
    const doubtful = this.#joining.filter(({ copy }) => copy.schemaVersion !== schema.version)
    if (doubtful.length > 0) {
      const fitting = await schema.findFitting(doubtful.map(({ copy }) => copy.table))
      this.#turnAway(doubtful.filter(({ copy }) => !fitting.has(copy.table)))
    }
  }

  #requests(joining: readonly JoiningCopy[]): {
    readonly requests: ChangeRequest[]
    readonly tables: ReadonlyMap<number, MirroredTable>
  } {
    const { mirror } = this.#props
    const joiningIds = new Set(joining.map((entry) => entry.copy.table.tableId))
    const live = [...this.#props.tables.byName.values()].flatMap((table) =>
      table.live === null || joiningIds.has(table.live.tableId) ? [] : [table.live],
    )
    const requests = [
      ...live.map((table) => this.#request(table, mirror.position)),
      ...joining.map((entry) => this.#request(entry.copy.table, entry.copy.place.position)),
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
    const countsLarge = [...this.#props.tables.byName.values()].some(
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
    this.#turnAway(this.#joining.filter(({ copy }) => copy.table.tableId === tableId))
    for (const table of this.#props.tables.byName.values()) {
      if (table.tableId === tableId) {
        takeOff(table, reason)
        if (error !== null) {
          noteTableFailure(table, error)
        }
      }
    }
  }

  /** Finished copies that cannot join; one that serves already goes on serving. */
  #turnAway(copies: readonly JoiningCopy[]): void {
    for (const { tracked, copy } of copies) {
      this.#worthless.push(copy.table)
      tracked.copyPosition = null
    }
    this.#joining = this.#joining.filter((entry) => !copies.includes(entry))
  }

  /** Position and copies have to change together, so nothing may run in between. */
  #join(joining: readonly JoiningCopy[]): void {
    for (const { tracked, copy } of joining) {
      tracked.live = copy.table
      tracked.shape = copy.table.shape
      tracked.state = 'live'
      tracked.reason = null
      tracked.copyPosition = null
    }
    this.#joining = this.#joining.filter((entry) => !joining.includes(entry))
  }

  /**
   * Somebody has noticed a schema change while the copies were being brought up to date, and looked
   * only at those that served. What they were to replace has not been brought up to date.
   */
  #refuse(joining: readonly JoiningCopy[]): void {
    for (const { tracked } of joining) {
      takeOff(tracked, 'the schema has changed')
    }
    this.#turnAway(joining)
  }

  async #dropCopies(copies: readonly MirroredTable[]): Promise<void> {
    for (const copy of copies) {
      reach('rebuild.registered')
      await this.#props.mirror.catalogue.dropCopy(copy).catch(() => undefined)
      reach('rebuild.dropped')
    }
  }
}
