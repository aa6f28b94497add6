import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { steadyClockMs } from '../src/core/outside-world.js'
import type { CopyQueue } from './backfill/copy-queue.js'
import type { FreshnessWaiters } from './freshness-waiters.js'
import type { TrackedTable } from './tracked-table.js'
import type { TrackedTables } from './tracked-tables.js'

interface CopyRequestsProps {
  readonly tables: TrackedTables
  readonly waiters: FreshnessWaiters
  /** Opens the mirror if need be; false when it cannot be opened now. */
  readonly open: () => Promise<boolean>
  readonly queue: () => CopyQueue | undefined
  readonly isClosing: () => boolean
}

/** Decides which tables are copied and when: asked for by a query, listed, or to be made anew. */
export class CopyRequests {
  readonly #props: CopyRequestsProps

  constructor(props: CopyRequestsProps) {
    this.#props = props
  }

  /** Asks for a copy of a table; harmless when it is there, on its way or refused. */
  add(name: string): void {
    const { tables, open, queue, isClosing, waiters } = this.#props
    if (!tables.mayCopy(name) || isClosing()) {
      return
    }
    const table = tables.track(name)
    if (table.state === 'absent' && steadyClockMs() >= table.retryAtMs) {
      table.state = 'copying'
      table.reason = 'the first copy is being made'
      void open().then((isOpen) => {
        if (table.state !== 'copying') {
          // The mirror that was opened has a copy of it.
          waiters.notify()
        } else if (isOpen) {
          queue()?.add(table)
        } else {
          table.state = 'absent'
          waiters.notify()
        }
      })
    }
  }

  /**
   * Copies that were taken off because of a schema change or a failure are made again, and those of
   * listed tables that were created only now are made.
   */
  addDue(): void {
    const now = steadyClockMs()
    for (const table of this.#props.tables.due(now)) {
      this.add(table.name)
    }
    for (const table of this.#props.tables.dueToWiden(now)) {
      // One attempt per second at most, so that a column with ever new classes cannot keep us busy.
      table.retryAtMs = now + limits.copyRetryMs
      this.#props.queue()?.add(table)
    }
  }

  /** Waits until none of the tables is being copied, at most `timeoutMs`. */
  async wait(names: readonly string[], timeoutMs: number): Promise<void> {
    const { tables, waiters, isClosing } = this.#props
    const deadline = performance.now() + timeoutMs
    const isPending = () => names.some((name) => tables.find(name)?.state === 'copying')
    while (isPending() && performance.now() < deadline && !isClosing()) {
      await waiters.anyChange(Math.max(1, deadline - performance.now()))
    }
  }

  /** @throws HtapError `table-unknown` */
  findKnown(name: string): TrackedTable {
    const known = this.#props.tables.find(name)
    if (known === undefined) {
      throw new HtapError('table-unknown', `no copy of a table named ${name}`, {
        hint: 'only tables that analytic queries have read are copied',
      })
    }
    return known
  }

  /** Copies a table anew; the old copy serves until the new one is complete. */
  async rebuild(table: TrackedTable): Promise<void> {
    table.retryAtMs = 0
    await this.#props.queue()?.rebuild(table)
  }
}
