import type { MessagePort } from 'node:worker_threads'
import type { ColumnBatch } from '../../src/core/column-batch.js'
import type { BufferPool } from './buffer-pool.js'

/** What the receiver says: go on (with the memory of a used part), or stop. */
export type ReceiverMessage =
  | { readonly type: 'credit'; readonly buffers: readonly ArrayBuffer[] }
  | { readonly type: 'stop' }

/**
 * Sends parts to the main thread, transferred and not cloned, and waits when the receiver is so many
 * parts behind as may be on their way.
 */
export class PartSender {
  readonly #port: MessagePort
  #credits: number
  #isStopped = false
  #wake: (() => void) | null = null

  constructor(port: MessagePort, pool: BufferPool, partsInFlightMax: number) {
    this.#port = port
    this.#credits = partsInFlightMax
    port.on('message', (message: ReceiverMessage) => {
      if (message.type === 'credit') {
        this.#credits++
        for (const buffer of message.buffers) {
          pool.give(buffer)
        }
      } else {
        this.#isStopped = true
      }
      this.#wake?.()
    })
    port.on('close', () => {
      this.#isStopped = true
      this.#wake?.()
    })
  }

  finish(): void {
    const end: StreamEnd = { type: 'done' }
    this.#port.postMessage(end)
  }

  /** False when the receiver wants no more. */
  async send(part: object, batches: readonly ColumnBatch[]): Promise<boolean> {
    while (this.#credits === 0 && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#isStopped) {
      return false
    }
    this.#credits--
    this.#port.postMessage(part, batchBuffers(batches))
    return true
  }
}

/** The last message of a stream: everything before it has arrived with it. */
export interface StreamEnd {
  readonly type: 'done'
}

/** The distinct buffers that batches stand on. */
export function batchBuffers(batches: readonly ColumnBatch[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = []
  for (const batch of batches) {
    for (const column of batch.columns) {
      if ('values' in column) {
        buffers.push(column.values.buffer as ArrayBuffer)
      } else {
        buffers.push(column.offsets.buffer as ArrayBuffer, column.data.buffer as ArrayBuffer)
      }
      if (column.validity !== null) {
        buffers.push(column.validity.buffer as ArrayBuffer)
      }
    }
  }
  return buffers
}
