/**
 * Every bound of the product in one place. A loop, queue, batch, cache or wait without a
 * name here is a defect.
 */
export const limits = Object.freeze({
  /** Prepared statements kept per SQLite connection. */
  statementCacheEntriesMax: 500,
  /** Rows between two yields to the event loop while changes are applied. */
  applySliceRowsMax: 10_000,
  /** Rows in one encoded batch: one DuckDB vector. */
  batchRowsMax: 2048,
  /** Encoded batches that may be on their way between worker and main thread. */
  batchesInFlightMax: 4,
  /** Pending changes that are read on the main thread instead of in the worker. */
  inlineChangesMax: 256,
  /** Rows of the change log that one prune statement deletes. */
  pruneRowsMax: 1000,
  /** Analytic statements that may run in DuckDB at once; libuv has four threads. */
  analyticStatementsMax: 2,
  /** How long a query waits for freshness before SQLite answers it. */
  freshnessWaitMs: 1000,
  /** How long a query under `routing: 'duckdb'` waits for the first copy of a table. */
  firstCopyWaitMs: 5000,
  /** How often commits of other processes are looked for. */
  foreignPollIntervalMs: 25,
  /** How often a table's copy is tried again with a wider type before its column is given up. */
  copyAttemptsMax: 3,
  /** Key columns of a WITHOUT ROWID table that the change log has room for. */
  keyColumnsMax: 8,
  /** Threads on which SQLite answers long reads. */
  readThreadsMax: 2,
  /** How long an idle read thread is kept. */
  readThreadIdleMs: 10_000,
  /** Reads that may wait for a read thread; more run on the calling thread. */
  readThreadQueueMax: 10_000,
  /** A read on a thread that takes less counts as quick. */
  quickReadMs: 0.5,
  /** Quick runs in a row after which a read moves to the calling thread. */
  quickReadsMin: 3,
  /** A read on the calling thread that takes longer moves to a read thread. */
  slowReadMs: 5,
  /** Rows that an unknown read may visit to be tried on the calling thread: about a millisecond. */
  smallReadVisitsMax: 2000,
  /** Streams that may read a file at once; more wait. */
  streamConnectionsMax: 16,
  /** How long closing waits for connections that are still in use. */
  drainWaitMs: 5000,
  /** How long a migration waits for another one to end. */
  migrationLockWaitMs: 60_000,
  /** How often a migration looks whether the other one has ended. */
  migrationLockPollMs: 25,
})
