import type { MessagePort } from 'node:worker_threads'
import { move as handOver, transferableSymbol, valueSymbol } from 'piscina'
import { type CarriedError, carryError } from '../../src/core/carried-error.js'
import { limits } from '../../src/core/limits.js'
import { loadBetterSqlite3 } from '../../src/oltp/open-database.js'
import { checkpointHistory } from '../../src/oltp/open-history-connection.js'
import { BufferPool } from '../read/buffer-pool.js'
import { PartSender } from '../read/part-sender.js'
import type { TableReadPlan } from '../read/read-plan.js'
import type { RowsPart } from '../read/source-reader.js'
import { type MovedChanges, type MoveRequest, moveChanges } from './move-changes.js'
import { type HistoryFiles, TaskConnection } from './task-connection.js'
import { type IdentitiesCall, readIdentities } from './version-identities.js'
import { spanRows, VersionSpanReader } from './version-span-reader.js'

await loadBetterSqlite3()

/** The worker threads of the history. */

const connection = new TaskConnection()

export interface MoveTask extends HistoryFiles {
  readonly request: MoveRequest
}

export type MoveOutcome = { readonly moved: MovedChanges } | { readonly error: CarriedError }

export async function move(task: MoveTask): Promise<MoveOutcome> {
  try {
    const moved = await connection.use(task, (history) => moveChanges(history, task.request))
    return { moved }
  } catch (error) {
    return { error: carryError(error) }
  }
}

export async function checkpoint(files: HistoryFiles): Promise<void> {
  await connection.use(files, checkpointHistory)
}

/**
 * What one of `readers` reads of a table of versions: of the spans that follow the number `after`, up to
 * `upTo`, the one of its own number and each that comes so many after it.
 */
export interface VersionsCall {
  readonly plan: TableReadPlan
  readonly after: number
  readonly upTo: number
  readonly reader: number
  readonly readers: number
}

export interface VersionsTask extends HistoryFiles, VersionsCall {
  readonly port: MessagePort
}

export interface IdentitiesTask extends HistoryFiles {
  readonly call: IdentitiesCall
}

/** As `readIdentities`; the numbers are handed over instead of copied. */
export async function identities(task: IdentitiesTask): Promise<unknown> {
  const read = await connection.use(task, (history) => readIdentities(history, task.call))
  if (read === null) {
    return null
  }
  const numbers = read.parts.flatMap((part) =>
    part.kind === 'columns' ? part.columns.map(({ buffer }) => buffer) : [],
  )
  return handOver({ [transferableSymbol]: numbers, [valueSymbol]: read })
}

const buffers = new BufferPool()

/** Sends a slice for each span, also for one without a version. */
export async function streamVersions(task: VersionsTask): Promise<void> {
  const { plan, after, upTo, reader, readers, port } = task
  const sender = new PartSender(port, buffers, limits.versionSlicesInFlightMax)
  try {
    await connection.use(task, async (history) => {
      history.exec('begin')
      const versions = new VersionSpanReader(history, plan, buffers)
      for (let from = after + reader * spanRows; from < upTo; from += readers * spanRows) {
        const slice = versions.read(from, Math.min(upTo, from + spanRows))
        const part: RowsPart = { type: 'rows', ...slice }
        if (!(await sender.send(part, slice.rows))) {
          return
        }
      }
      sender.finish()
    })
  } finally {
    port.close()
  }
}
