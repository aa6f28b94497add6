import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { ColumnBatch } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import { createThreadPool } from '../../src/core/thread-pool.js'
import { fileIdentity } from '../../src/oltp/file-identity.js'
import type { ChangePart } from './change-reader.js'
import { batchBuffers, type ReceiverMessage, type StreamEnd } from './part-sender.js'
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
    await this.#pool?.destroy()
    this.#pool = null
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
    const { port1, port2 } = new MessageChannel()
    const inbox = new PartInbox<StatePart | Part>(port1)
    const task = this.#pool.run(
      { path: this.#path, identity: this.#identity, call, port: port2 },
      { name, transferList: [port2] },
    )
    task.catch((error: unknown) => inbox.fail(error))
    try {
      for (let part = await inbox.next(); part !== null; part = await inbox.next()) {
        yield part
        inbox.giveBack(part)
      }
      await task
    } finally {
      inbox.stop()
      await task.catch(() => undefined)
    }
  }
}

/** Parts that have arrived and are not taken yet. */
class PartInbox<Part extends StatePart | ChangePart | RowsPart> {
  readonly #port: MessagePort
  readonly #parts: Part[] = []
  #isDone = false
  #error: unknown = null
  #wake: (() => void) | null = null

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: Part | StreamEnd) => {
      if (message.type === 'done') {
        this.#isDone = true
      } else {
        this.#parts.push(message)
      }
      this.#wake?.()
    })
  }

  /** Null at the end of the stream, or when the task has failed. */
  async next(): Promise<Part | null> {
    for (;;) {
      const part = this.#parts.shift()
      if (part !== undefined) {
        return part
      }
      if (this.#error !== null || this.#isDone) {
        return null
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  giveBack(part: Part): void {
    const buffers = batchBuffers(partBatches(part))
    const message: ReceiverMessage = { type: 'credit', buffers }
    this.#port.postMessage(message, buffers)
  }

  fail(error: unknown): void {
    this.#error = error
    this.#wake?.()
  }

  stop(): void {
    const message: ReceiverMessage = { type: 'stop' }
    this.#port.postMessage(message)
    this.#port.close()
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
