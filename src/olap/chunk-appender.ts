import { assert } from '../core/assert.js'
import type { ColumnBatch } from '../core/column-batch.js'
import type { ChunkBuffer } from './chunk-buffer.js'
import type { Appender, DuckDb } from './duckdb-bindings.js'
import { olapFailure } from './olap-failure.js'
import type { OlapAppender } from './olap-store.js'
import { appendRows } from './row-append.js'

/** What an appender needs of the writer that it belongs to. */
export interface AppenderOwner {
  /** Throws when a statement runs: an append would block the event loop until it ends. */
  assertIdle(): void
  closed(appender: ChunkAppender, buffer: ChunkBuffer | null): void
}

/** Appends batches through a reused chunk, or value by value where there is no chunk buffer. */
export class ChunkAppender implements OlapAppender {
  readonly #duckdb: DuckDb
  readonly #appender: Appender
  readonly #buffer: ChunkBuffer | null
  readonly #owner: AppenderOwner
  #open = true
  #pending = false

  constructor(
    duckdb: DuckDb,
    appender: Appender,
    buffer: ChunkBuffer | null,
    owner: AppenderOwner,
  ) {
    this.#duckdb = duckdb
    this.#appender = appender
    this.#buffer = buffer
    this.#owner = owner
  }

  /** Rows were appended that storage does not have yet. */
  get pending(): boolean {
    return this.#pending
  }

  append(batch: ColumnBatch): void {
    this.#work(() => {
      if (batch.rowCount === 0) {
        return
      }
      this.#pending = true
      if (this.#buffer === null) {
        appendRows(this.#duckdb, this.#appender, batch)
      } else {
        this.#duckdb.append_data_chunk(this.#appender, this.#buffer.fill(batch))
      }
    })
  }

  flush(): void {
    this.#work(() => this.#duckdb.appender_flush_sync(this.#appender))
    this.#pending = false
  }

  close(): void {
    if (this.#open) {
      try {
        this.#work(() => this.#duckdb.appender_close_sync(this.#appender))
      } catch (error) {
        // Rows that could not be stored must not be tried again when the handle is collected.
        this.discard()
        throw error
      }
      this.#leave()
    }
  }

  /**
   * Closes without storing what is buffered. Left alone, the rows would be stored when the
   * handle is garbage collected, after the rollback that should have undone them.
   */
  discard(): void {
    if (this.#open) {
      try {
        this.#duckdb.appender_clear(this.#appender)
        this.#duckdb.appender_close_sync(this.#appender)
      } catch {
        // The transaction is lost already, and with it the appender.
      }
      this.#leave()
    }
  }

  #work(action: () => void): void {
    assert(this.#open, 'an appender is used while it is open')
    this.#owner.assertIdle()
    try {
      action()
    } catch (error) {
      throw olapFailure(error)
    }
  }

  #leave(): void {
    this.#open = false
    this.#owner.closed(this, this.#buffer)
  }
}
