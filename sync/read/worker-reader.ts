import type { Piscina } from 'piscina'
import type { ColumnBatch } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import { createThreadPool, endThreadPool } from '../../src/core/thread-pool.js'
import { fileIdentity } from '../../src/oltp/file-identity.js'
import type { ChangePart } from './change-reader.js'
import { receiveParts } from './part-receiver.js'
import type {
  ChangesCall,
  MovedPart,
  RowsCall,
  RowsPart,
  SourceReader,
  StatePart,
} from './source-reader.js'

/**
 * Reads in a worker thread, so that neither reading nor encoding takes time of the event loop.
 * Needs a database file in WAL mode. Threads start with the first task and end when idle.
 */
export class WorkerReader implements SourceReader {
  readonly #path: string
  readonly #identity: string | null
  readonly #fallback: SourceReader
  #pool: Piscina | null = null
  #isUnfit = false

  /** @param fallback reads instead, where a worker cannot be started */
  constructor(path: string, fallback: SourceReader) {
    this.#path = path
    this.#identity = fileIdentity(path)
    this.#fallback = fallback
  }

  changes(call: ChangesCall): AsyncGenerator<StatePart | ChangePart, void, void> {
    return this.#canRead()
      ? this.#stream<ChangePart>('streamChanges', call)
      : this.#fallback.changes(call)
  }

  rows(call: RowsCall): AsyncGenerator<StatePart | RowsPart | MovedPart, void, void> {
    return this.#canRead() ? this.#stream<RowsPart>('streamRows', call) : this.#fallback.rows(call)
  }

  async close(): Promise<void> {
    if (this.#pool !== null) {
      await endThreadPool(this.#pool)
      this.#pool = null
    }
  }

  /** A thread opens the path anew, and that may lead to another file by now. */
  #canRead(): boolean {
    this.#isUnfit ||= fileIdentity(this.#path) !== this.#identity
    return !this.#isUnfit
  }

  async *#stream<Part extends ChangePart | RowsPart>(
    name: 'streamChanges' | 'streamRows',
    call: ChangesCall | RowsCall,
  ): AsyncGenerator<StatePart | Part, void, void> {
    this.#pool ??= createThreadPool(
      new URL('./sync-worker.js', import.meta.url),
      { maxThreads: limits.syncWorkersMax, idleTimeout: limits.workerIdleMs },
      () => {
        this.#isUnfit = true
      },
    )
    const task = { path: this.#path, identity: this.#identity, call }
    yield* receiveParts<StatePart | Part>(this.#pool, name, task, partBatches)
  }
}

function partBatches(part: StatePart | ChangePart | RowsPart): readonly ColumnBatch[] {
  switch (part.type) {
    case 'changes':
      return [...part.keys, ...part.rows]
    case 'keys':
      return part.keys
    case 'rows':
      return part.rows
    case 'state':
    case 'end':
    case 'failure':
      return []
  }
}
