/**
 * Recycles the memory of batches. A new buffer per batch would wait for the garbage collector,
 * which costs a quarter of the speed and hundreds of megabytes while a large table is copied.
 */
export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #entriesMax = 64

  /** A buffer of exactly `byteLength` bytes with any content. */
  take(byteLength: number): ArrayBuffer {
    return this.#free.get(byteLength)?.pop() ?? new ArrayBuffer(byteLength)
  }

  give(buffer: ArrayBuffer): void {
    const free = this.#free.get(buffer.byteLength)
    if (free === undefined) {
      this.#free.set(buffer.byteLength, [buffer])
    } else if (free.length < this.#entriesMax) {
      free.push(buffer)
    }
  }
}
