import { randomUUID } from 'node:crypto'

/**
 * The one seam between this package and what it cannot rely on: processes that die, engines and
 * files that fail, clocks that jump, chance. Tests put themselves in between; without them every
 * function here does the plain thing after one comparison.
 */
export interface OutsideWorld {
  /** Called at every named moment; may throw, or end the process. */
  reach(point: FailPoint): void
  /** Stands in for an engine's or the file system's functions, and may make each of them fail. */
  through<T extends object>(door: Door, functions: T): T
  /** Milliseconds since 1970; may jump in either direction. */
  wallClockMs(): number
  /** Milliseconds that only grow. */
  steadyClockMs(): number
  /** An identifier that nobody else has. */
  uniqueId(): string
}

/** What our own calls go out through; the application's statements on its connection do not. */
export type Door = 'sqlite' | 'duckdb' | 'files'

/** Every moment at which a process may die or a step fail, with what is done and not done by then. */
export const failPoints = Object.freeze({
  'write.in-transaction': 'a statement has written, with its rows in the log; nothing is committed',
  'write.committed': 'SQLite has committed; nobody was told',
  'capture.in-transaction': 'triggers are created, not committed',
  'capture.committed': 'triggers log; no copy is begun',
  'snapshot.opened': 'the snapshot of a sync is read up to its state',
  'snapshot.read': 'one table of that snapshot is read',
  'apply.begin': 'changes have arrived; the column store is untouched',
  'apply.slice': 'a slice of changes stands in the open transaction',
  'apply.before-commit': 'all changes stand in the transaction; position and commit come next',
  'apply.after-commit': 'rows and position are committed; the engine does not know yet',
  'backfill.begin': 'a first copy has its snapshot, and no table yet',
  'backfill.table-created': 'the table of a copy is created and empty',
  'backfill.page': 'a page stands in the open transaction',
  'backfill.page-committed': 'a row group of a copy is committed',
  'backfill.complete': 'a copy has all rows of its snapshot and is not registered',
  'rebuild.registered': 'a new copy serves; the one before it still exists',
  'rebuild.dropped': 'the copy before it is dropped',
  'prune.in-transaction': 'log rows are deleted, not committed',
  'prune.committed': 'log rows are gone',
  'history.transactions':
    'transactions of the log have their instants in the history, not committed',
  'history.table': 'versions of one table stand in the open transaction of the history',
  'history.compared': 'a table is compared with the history; nothing is committed',
  'history.before-commit': 'all versions stand in the transaction of the history',
  'history.after-commit': 'the history has the versions; the log has their entries still',
  'history.pruned': 'entries that the history has are gone from the log',
  'history-retention.in-transaction': 'a page of old versions is deleted, not committed',
  'history-retention.committed': 'a page of old versions is gone, and others are still there',
  'history-erase.log': 'entries of a table are gone from the log; the history has all versions',
  'history-erase.versions': 'versions of erased keys are gone; traces are left in the files',
  'history-erase.rewritten': 'the file of the history is written anew',
  'open.locked': 'the mirror is locked; its file is untouched',
  'open.store-opened': 'the column store is open; nothing is compared yet',
  'open.log-installed': 'the change log is there; the mirror does not know whose it is',
  'open.reset': 'a mirror begins anew; the log does not know it',
  'open.registered': 'the log keeps rows for the new mirror',
  'open.stray-dropped': 'a copy that was never registered is dropped',
  'close.position-noted': 'the log knows how far the mirror has got; the mirror is open',
  'close.before-checkpoint': 'nothing runs in the column store; its own log is not moved',
  'close.after-checkpoint': 'the column store is written; it is open still',
  'close.store-closed': 'the column store is closed; the lock is held',
})

export type FailPoint = keyof typeof failPoints

/** A moment that tests may end or disturb. */
export function reach(point: FailPoint): void {
  replacement?.reach(point)
}

/** The functions to be called; the given ones, unless a test stands in between. */
export function through<T extends object>(door: Door, functions: T): T {
  return replacement === null ? functions : replacement.through(door, functions)
}

/** For moments that other processes read; may jump. */
export function wallClockMs(): number {
  return replacement === null ? Date.now() : replacement.wallClockMs()
}

/** For waits: an hour that somebody puts the clock back by must not be waited for. */
export function steadyClockMs(): number {
  return replacement === null ? performance.now() : replacement.steadyClockMs()
}

export function uniqueId(): string {
  return replacement === null ? randomUUID() : replacement.uniqueId()
}

let replacement: OutsideWorld | null = null

/** For tests: whoever is given stands between this package and the world; null lets go. */
export function replaceOutsideWorld(world: OutsideWorld | null): void {
  replacement = world
}
