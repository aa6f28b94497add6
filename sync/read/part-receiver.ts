import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { ColumnBatch } from '../../src/core/column-batch.js'
import { batchBuffers, type ReceiverMessage, type StreamEnd } from './part-sender.js'

/** A part tells what it is by a word, which for the last message of a stream is `done`. */
interface TypedPart {
  readonly type: string
}

/**
 * What a task of a thread sends with its `PartSender`. Buffers of a part belong to the thread again as
 * soon as the next part is asked for.
 *
 * @param name of the task in the code that the pool runs
 * @param task what it is given, beside the `port` for the sender
 * @param batches of a part
 * @throws what the task throws, after the parts that were sent before
 */
export async function* receiveParts<Part extends TypedPart>(
  pool: Piscina,
  name: string,
  task: object,
  batches: (part: Part) => readonly ColumnBatch[],
): AsyncGenerator<Part, void, void> {
  const { port1, port2 } = new MessageChannel()
  const inbox = new PartInbox<Part>(port1)
  const running = pool.run({ ...task, port: port2 }, { name, transferList: [port2] })
  running.catch((error: unknown) => inbox.fail(error))
  try {
    for (let part = await inbox.next(); part !== null; part = await inbox.next()) {
      yield part
      inbox.giveBack(batches(part))
    }
    await running
  } finally {
    inbox.stop()
    await running.catch(() => undefined)
  }
}

/** Parts that have arrived and are not taken yet. */
class PartInbox<Part extends TypedPart> {
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
        this.#parts.push(message as Part)
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

  giveBack(batches: readonly ColumnBatch[]): void {
    const buffers = batchBuffers(batches)
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
