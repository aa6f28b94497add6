import type { MessagePort } from 'node:worker_threads'
import { limits } from '../../src/core/limits.js'
import { assertFile } from '../../src/oltp/file-identity.js'
import { loadBetterSqlite3 } from '../../src/oltp/open-database.js'
import { openReadConnection } from '../../src/oltp/open-read-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { BufferPool } from './buffer-pool.js'
import { readChanges } from './change-reader.js'
import { PartSender } from './part-sender.js'
import { RowReader } from './row-reader.js'
import { type ChangesCall, isExpected, type RowsCall } from './source-reader.js'
import { SourceStateReader } from './source-state.js'

await loadBetterSqlite3()

/** The worker thread of the sync engine: reads SQLite in one snapshot a task, sends parts. */

export interface ReaderTask<Call> {
  readonly path: string
  /** The file that the path must lead to. */
  readonly identity: string | null
  readonly call: Call
  readonly port: MessagePort
}

const buffers = new BufferPool()

export function streamChanges(task: ReaderTask<ChangesCall>): Promise<void> {
  return inSnapshot(task, async (database, sender) => {
    const { expected, places, requests } = task.call
    const state = new SourceStateReader(database).read(expected.consumerId, places)
    await sender.send({ type: 'state', ...state }, [])
    if (!isExpected(state, expected)) {
      return
    }
    for (const part of readChanges(database, requests, state.head.position, buffers)) {
      const batches =
        part.type === 'changes'
          ? [...part.keys, ...part.rows]
          : part.type === 'keys'
            ? part.keys
            : []
      if (!(await sender.send(part, batches))) {
        return
      }
    }
  })
}

export function streamRows(task: ReaderTask<RowsCall>): Promise<void> {
  return inSnapshot(task, async (database, sender) => {
    const state = new SourceStateReader(database).read(task.call.expected.consumerId, [])
    await sender.send({ type: 'state', ...state }, [])
    if (!isExpected(state, task.call.expected)) {
      return
    }
    const reader = new RowReader(database, task.call.plan, buffers)
    for (let slice = reader.read(); slice !== null; slice = reader.read()) {
      if (!(await sender.send({ type: 'rows', ...slice }, slice.rows))) {
        return
      }
    }
  })
}

async function inSnapshot<Call>(
  task: ReaderTask<Call>,
  read: (database: SqliteDatabase, sender: PartSender) => Promise<void>,
): Promise<void> {
  const sender = new PartSender(task.port, buffers, limits.slicesInFlightMax)
  // A connection per task: opening costs 50 us, and a closed one holds no file and no snapshot.
  const database = await openReadConnection(task.path)
  try {
    assertFile(task.path, task.identity)
    database.exec('begin')
    await read(database, sender)
    sender.finish()
  } finally {
    database.close()
    task.port.close()
  }
}
