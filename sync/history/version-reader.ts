import type { Piscina } from 'piscina'
import { assert } from '../../src/core/assert.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { BufferPool } from '../read/buffer-pool.js'
import { receiveParts } from '../read/part-receiver.js'
import type { TableReadPlan } from '../read/read-plan.js'
import { RowReader, type RowSlice } from '../read/row-reader.js'
import type { RowsPart } from '../read/source-reader.js'
import type { HistoryTable } from './history-table.js'
import type { HistoryThreads } from './history-threads.js'
import type { VersionsCall } from './history-worker.js'
import {
  type IdentitiesCall,
  readIdentities,
  type VersionIdentities,
} from './version-identities.js'
import { newestVersion } from './version-range.js'
import { spanRows } from './version-span-reader.js'

/** Reads new versions, in threads where they are so many that starting one takes less time. */
export class VersionReader {
  readonly #history: SqliteDatabase
  readonly #threads: HistoryThreads
  readonly #buffers = new BufferPool()

  /** @param history a connection to the file that the threads open */
  constructor(history: SqliteDatabase, threads: HistoryThreads) {
    this.#history = history
    this.#threads = threads
  }

  /**
   * The versions of a table after the number `after`, in their order. Buffers of a slice belong to the
   * reader again as soon as the next one is asked for.
   */
  async *slices(
    table: HistoryTable,
    plan: TableReadPlan,
    after: number,
  ): AsyncGenerator<RowSlice, void, void> {
    const newest = newestVersion(this.#history, table)
    const pool = newest - after <= limits.inlineVersionsMax ? null : this.#threads.pool
    if (pool !== null) {
      yield* this.#fromThreads(pool, plan, after, newest)
      return
    }
    const reader = new RowReader(this.#history, plan, this.#buffers, [after])
    for (let slice = reader.read(); slice !== null; slice = reader.read()) {
      yield slice
    }
  }

  /** As `readIdentities`. */
  async identities(call: IdentitiesCall): Promise<VersionIdentities | null> {
    const read = await this.#threads.run<VersionIdentities | null>('identities', { call })
    return read === null ? await readIdentities(this.#history, call) : read.result
  }

  /** Several threads read spans in turn, because each spends most of its time in SQLite. */
  async *#fromThreads(
    pool: Piscina,
    plan: TableReadPlan,
    after: number,
    upTo: number,
  ): AsyncGenerator<RowSlice, void, void> {
    const readers = readersFor(upTo - after)
    const streams = Array.from({ length: readers }, (_, reader) => {
      const call: VersionsCall = { plan, after, upTo, reader, readers }
      const task = { ...this.#threads.files, ...call }
      return receiveParts<RowsPart>(pool, 'streamVersions', task, ({ rows }) => rows)
    })
    const next = (stream: (typeof streams)[number]) => {
      const part = stream.next()
      // Whoever fails is heard when it is his turn.
      part.catch(() => undefined)
      return part
    }
    const parts = streams.map(next)
    try {
      for (let span = 0; after + span * spanRows < upTo; span++) {
        const reader = span % readers
        const { value } = (await parts[reader]) ?? {}
        assert(value !== undefined, 'a reader sends a slice for each of its spans')
        yield value
        parts[reader] = next(streams[reader] as (typeof streams)[number])
      }
      await Promise.all(parts)
    } finally {
      await Promise.all(streams.map((stream) => stream.return()))
    }
  }
}

function readersFor(versions: number): number {
  const worthwhile = Math.floor(versions / limits.versionsPerReaderMin)
  return Math.min(Math.max(1, worthwhile), limits.versionReadersMax)
}
