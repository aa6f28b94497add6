/**
 * Every bound of the product in one place. A loop, queue, batch, cache or wait without a
 * name here is a defect.
 */
export const limits = Object.freeze({
  /** Prepared statements kept per SQLite connection. */
  statementCacheEntriesMax: 500,
  /** Batches between two yields to the event loop while changes are applied: 8192 rows. */
  sliceBatchesMax: 4,
  /** Rows in one encoded batch: one DuckDB vector. */
  batchRowsMax: 2048,
  /** Slices that may be on their way between worker and main thread. */
  slicesInFlightMax: 2,
  /** The same for each reader of versions, of which many are read while DuckDB ends a transaction. */
  versionSlicesInFlightMax: 8,
  /** Threads that read SQLite for the mirror: one for changes while one makes a first copy. */
  syncWorkersMax: 2,
  /** How long an idle worker thread is kept. */
  workerIdleMs: 10_000,
  /** How long a read connection waits for a lock that WAL readers need only during recovery. */
  readBusyTimeoutMs: 5000,
  /** How often a write of our own into SQLite is tried while others hold the write lock. */
  writeAttemptsMax: 400,
  /** Longest pause between two such attempts. */
  writeRetryMsMax: 25,
  /** Syncs that may fail in a row before the mirror is closed and opened anew. */
  syncFailuresMax: 3,
  /** How often one sync starts over because the source moved under it. */
  syncAttemptsMax: 5,
  /** How often a query is prepared anew because its tables' copies were replaced under it. */
  routeAttemptsMax: 3,
  /** Rows that the change log may have, about 150 MB; a mirror that is further behind is made anew. */
  logRowsMax: 10_000_000,
  /** The least that can be set for it. */
  logRowsMaxMin: 1000,
  /** How often the length of the log is looked at. */
  logCheckMs: 1000,
  /** Applied changes that wait in the log before it is pruned at once. */
  pruneBacklogRowsMax: 10_000,
  /** How long after the last sync the log is pruned. */
  pruneIdleMs: 1000,
  /** How long what has failed (a copy, a sync, an opening) rests, doubled with every failure. */
  copyRetryMs: 1000,
  /** The longest such rest, and how long all must have gone well for the next to be short again. */
  copyRetryMsMax: 60_000,
  /** How long DuckDB is not asked again what it failed over for want of memory or of a file. */
  failureRestMs: 60_000,
  /** How often the lock of a mirror is tried that somebody else holds. */
  standbyPollMs: 1000,
  /** How often in a row a mirror is opened anew before its file is taken to be at fault. */
  reopeningsMax: 3,
  /** How often a consumer of the log gives a sign of life, at least. */
  heartbeatMs: 600_000,
  /** A consumer that was not heard of for so long is taken for dead: a day. */
  consumerExpiryMs: 86_400_000,
  /** The same for a mirror in memory, which ends with its process: half an hour. */
  memoryConsumerExpiryMs: 1_800_000,
  /** Rows that one DuckDB transaction of a first copy holds: one row group. */
  copyTransactionRowsMax: 122_880,
  /** Changed keys that are deleted by a list of literals instead of a join. */
  deleteLiteralsMax: 20,
  /** Pending changes that are read on the main thread instead of in the worker. */
  inlineChangesMax: 256,
  /** Texts of queries whose shape, facts and translation are remembered. */
  shapeCacheEntriesMax: 2000,
  translationCacheEntriesMax: 1000,
  /** Translations of one text that are kept for constants of other classes, sizes or values. */
  translationVariantsMax: 8,
  /** How deep views may stand in views. */
  viewDepthMax: 20,
  /** How long a query that was cheaper on SQLite is taken to be so still. */
  cheapAgeMs: 2000,
  /** Rows up to which a table that is not copied yet is counted to weigh its cost. */
  countedRowsMax: 20_000,
  /** Tables whose sizes and shapes are remembered. */
  countedTablesMax: 1000,
  /** What applying one change is taken to cost when a query weighs waiting for it. */
  applyChangeMsEstimate: 0.005,
  /** How long such a count is believed. */
  countedRowsAgeMs: 10_000,
  /** Rows of a table that may be counted on the main thread. */
  inlineCountRowsMax: 20_000,
  /** How often a verification starts over because the source moved on. */
  verifyAttemptsMax: 100,
  /** The pause after which a finished copy tries again to join the loop, whose sync has failed. */
  joinRetryMs: 10,
  /** How long an explicit `syncNow()` may take. */
  syncNowTimeoutMs: 600_000,
  /** Rows of the change log that one prune statement deletes. */
  pruneRowsMax: 1000,
  /** Rows of a log that is emptied at once when all but a few of them may go: some 10 ms. */
  truncatedLogRowsMax: 500_000,
  /** Entries of the history that are deleted at once when none of them is needed: some 15 ms. */
  truncatedRowsMax: 200_000,
  /** Analytic statements that may run in DuckDB at once; libuv has four threads. */
  analyticStatementsMax: 2,
  /** Analytic statements that may wait for their turn; more are refused. */
  analyticQueueMax: 1000,
  /** How often an interrupt is repeated until it is heard: one sent before the start is lost. */
  interruptRetryMs: 10,
  /** Row groups of one transaction that wait for its commit; beyond the memory limit on disk. */
  unwrittenRowGroupsMax: 1_000_000,
  unwrittenRowGroupMemoryMax: '1TB',
  /** Generated makers of row objects kept per column store. */
  rowMakersMax: 500,
  /** Chunks kept for reuse by the appenders of a column store. */
  chunkBuffersMax: 32,
  /** How long a query waits for freshness before SQLite answers it. */
  freshnessWaitMs: 1000,
  /** How long a query under `routing: 'duckdb'` waits for the first copy of a table. */
  firstCopyWaitMs: 5000,
  /** How long after a commit it is moved into the history: one wait for the disk serves many. */
  historyMoveMs: 50,
  /** Threads that move and read versions. */
  historyWorkersMax: 3,
  /** Threads that read the versions of one table. */
  versionReadersMax: 2,
  /** Versions that are worth a thread of their own. */
  versionsPerReaderMin: 32_768,
  /** Changes of one move after which SQLite may write its log back at once, while the mover waits. */
  inlineCheckpointChangesMax: 1000,
  /** How long after it that log is written back. */
  checkpointDelayMs: 1500,
  /** Entries of a move that are looked at to see whether keys come twice. */
  plainSampleRowsMax: 1000,
  /** How long a copy of versions waits for a mirror that is behind, from which it takes their values. */
  mirrorWaitMs: 2000,
  /** New versions that are read on the main thread instead of in a worker. */
  inlineVersionsMax: 256,
  /** New versions for which a scan of the mirror is worth while, and how many one transaction may add. */
  versionsFromMirrorMin: 10_000,
  versionsFromMirrorMax: 1_000_000,
  /** Rows of the mirror, for one new version, up to which its scan takes less time than reading them. */
  mirrorRowsPerVersionMax: 8,
  /** Past states of the schema, and past states of the data, that are kept in memory for queries. */
  pastSchemasMax: 8,
  pastDatabasesMax: 2,
  /** How often commits of other processes are looked for. */
  foreignPollIntervalMs: 25,
  /** How often a table's copy is tried again with a wider type before its column is given up. */
  copyAttemptsMax: 3,
  /** Key columns of a WITHOUT ROWID table that the change log has room for. */
  keyColumnsMax: 4,
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
  /** Rows of an answer up to which it is compared in shadow mode. */
  shadowRowsMax: 10_000,
  /** How often both engines are asked for the same position in shadow mode. */
  shadowAttemptsMax: 5,
  /** How long such an attempt waits for the copy to reach SQLite. */
  shadowWaitMs: 200,
  /** Rows that a report of differing answers shows. */
  shadowReportRowsMax: 5,
  /** Characters of a value that such a report shows. */
  shadowReportValueMax: 1000,
  /** Texts whose answers differed; with more, nothing goes to DuckDB any more. */
  quarantinedTextsMax: 100,
  /** Streams that may read a file at once; more wait. */
  streamConnectionsMax: 16,
  /** How long closing waits for connections that are still in use. */
  drainWaitMs: 5000,
  /** Rows of a page in which the history is read, and versions that one transaction gives up. */
  historyPageRowsMax: 1000,
  /** Rows whose changes are asked for at once, if not those of all. */
  changedKeysMax: 1000,
  /** Bytes of free pages that one transaction fills with zeros when keys are erased. */
  erasedBytesMax: 4_194_304,
  /** How often an erasure starts over because somebody writes, or reads what is to be overwritten. */
  eraseAttemptsMax: 100,
  /** The pause between two such attempts. */
  eraseRetryMs: 25,
  /** How long a migration waits for another one to end. */
  migrationLockWaitMs: 60_000,
  /** How often a migration looks whether the other one has ended. */
  migrationLockPollMs: 25,
})
