import type { MirroredTable } from './mirrored-table.js'

/** What one run of changes did. */
export interface AppliedChanges {
  readonly changeCount: number
  /** Tables whose copy holds a row that SQLite no longer has; nothing was committed. */
  readonly overfull: readonly number[]
  /** Copies that other ones have replaced, or that were taken off; they can be dropped. */
  readonly superseded: readonly MirroredTable[]
}
