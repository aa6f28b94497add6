import { steadyClockMs } from '../src/core/outside-world.js'
import type { TableShape } from '../src/core/table-shape.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import { RetryPause } from './retry-pause.js'

/**
 * How a table stands with the mirror.
 *
 * - `absent`: not copied; nobody asked for it yet, or it waits to be copied again
 * - `copying`: the first copy runs, or it waits for its turn
 * - `live`: DuckDB may answer for it
 * - `refused`: it cannot be mirrored, `reason` says why
 */
export type TableState = 'absent' | 'copying' | 'live' | 'refused'

/** What the engine knows of one table of the source. */
export interface TrackedTable {
  readonly name: string
  state: TableState
  reason: string | null
  lastError: unknown
  /** When a failed copy may be tried again, on the steady clock. */
  retryAtMs: number
  readonly retryPause: RetryPause
  /** The number in the change log, once captured. */
  tableId: number | null
  shape: TableShape | null
  live: MirroredTable | null
  /** A copy is under way or waits for its turn, beside a live one perhaps. */
  isCopying: boolean
  /** Changes after this position must stay in the log for the copy that runs. */
  copyPosition: number | null
}

export function trackTable(name: string): TrackedTable {
  return {
    name,
    state: 'absent',
    reason: null,
    lastError: null,
    retryAtMs: 0,
    retryPause: new RetryPause(),
    tableId: null,
    shape: null,
    live: null,
    isCopying: false,
    copyPosition: null,
  }
}

/** A copy serves no longer. It leaves the store when the log is applied next. */
export function takeOff(table: TrackedTable, reason: string): void {
  table.state = 'absent'
  table.live = null
  table.reason = reason
}

/** What a table's copy needs has failed: it rests, longer with every failure. */
export function noteTableFailure(table: TrackedTable, error: unknown): void {
  table.lastError = error
  table.retryAtMs = steadyClockMs() + table.retryPause.next()
}
