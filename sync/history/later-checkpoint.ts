import { limits } from '../../src/core/limits.js'

/**
 * Has SQLite's own log of the history written back some time after a large move: not while whoever waits
 * for the move waits for what follows it, and once for all moves until then.
 */
export class LaterCheckpoint {
  readonly #run: () => Promise<void>
  readonly #onFailure: (error: unknown) => void
  #isOwed = false
  #timer: NodeJS.Timeout | null = null
  #running = Promise.resolve()

  constructor(run: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#run = run
    this.#onFailure = onFailure
  }

  /** The log is long, and whoever writes next is not to write it back. */
  get isOwed(): boolean {
    return this.#isOwed
  }

  owe(): void {
    this.#isOwed = true
    if (this.#timer === null) {
      this.#timer = setTimeout(() => void this.#begin(), limits.checkpointDelayMs)
      this.#timer.unref()
    }
  }

  /** Does it now, if it is owed. */
  async close(): Promise<void> {
    await (this.#isOwed ? this.#begin() : this.#running)
  }

  async #begin(): Promise<void> {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    this.#isOwed = false
    this.#running = this.#running.then(this.#run).catch((error: unknown) => {
      // Nothing is lost: it is owed still, and the next move comes by again.
      this.#isOwed = true
      this.#onFailure(error)
    })
    await this.#running
  }
}
