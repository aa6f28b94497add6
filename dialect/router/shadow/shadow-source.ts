import { openReadThreads } from '../../../src/oltp/open-reads.js'
import type { ReadThreads } from '../../../src/oltp/read-threads.js'
import { isSharedWal } from '../../../src/oltp/shared-wal.js'
import {
  type SnapshotRead,
  type SnapshotRequest,
  takeSnapshot,
} from '../../../src/oltp/snapshot-read.js'
import type { Writer } from '../../../src/oltp/writer.js'

/**
 * Reads SQLite for shadow runs: a file in WAL mode on a thread that serves nobody else, so that
 * no read of the application waits; anything else on the writer's connection in a turn of its own.
 */
export class ShadowSource {
  readonly #writer: Writer
  #threads: Promise<ReadThreads | null> | null = null

  constructor(writer: Writer) {
    this.#writer = writer
  }

  /**
   * @returns `busy` while the application itself has a transaction open on the one connection,
   * `unreadable` where no thread can read this
   * @throws the signal's reason; SqliteError that says nothing about the query
   */
  async read(
    request: SnapshotRequest,
    signal: AbortSignal,
  ): Promise<SnapshotRead | 'busy' | 'unreadable'> {
    signal.throwIfAborted()
    const { database } = this.#writer
    if (!isSharedWal(database)) {
      return this.#writer.runExclusive(
        () => (database.inTransaction ? 'busy' : takeSnapshot(database, request)),
        signal,
      )
    }
    this.#threads ??= openReadThreads(database)
    const threads = await this.#threads
    signal.throwIfAborted()
    return (await threads?.readSnapshot(request, signal)) ?? 'unreadable'
  }

  async close(): Promise<void> {
    // Threads that could not be opened have told the run that wanted them.
    const threads = await this.#threads?.catch(() => null)
    await threads?.close()
  }
}
