import { limits } from '../../src/core/limits.js'
import { steadyClockMs } from '../../src/core/outside-world.js'
import { RetryPause } from '../retry-pause.js'

interface HistoryLoopProps {
  /** Moves everything that is committed now. */
  readonly move: () => Promise<unknown>
  /** Moves when another connection has committed; null if it cannot be told. */
  readonly dataVersion: () => number | null
  /** Another connection has committed. */
  readonly onForeignCommit: () => void
  readonly onFailure: (error: unknown) => void
}

/**
 * Decides when changes are moved into the history: some time after a commit, so that one wait for the
 * disk serves many, and at once where somebody asks. One move at a time.
 */
export class HistoryLoop {
  readonly #props: HistoryLoopProps
  readonly #pause = new RetryPause()
  #timer: NodeJS.Timeout | null = null
  #due: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #dataVersion: number | null = null
  #retryAtMs = 0
  #isClosed = false

  constructor(props: HistoryLoopProps) {
    this.#props = props
  }

  /** @param intervalMs how often commits of other connections are looked for */
  start(intervalMs: number): void {
    this.#timer = setInterval(() => this.#tick(), intervalMs)
    this.#timer.unref()
  }

  /** Something was committed. */
  wake(): void {
    if (this.#due === null && !this.#isClosed) {
      this.#due = setTimeout(() => {
        this.#due = null
        void this.#moveQuietly()
      }, limits.historyMoveMs)
      this.#due.unref()
    }
  }

  /**
   * Moves everything that was committed before the call.
   *
   * @throws what moving throws
   */
  async moveNow(): Promise<void> {
    // What runs may have read the log before.
    await this.#running?.catch(() => undefined)
    this.#running ??= this.#props
      .move()
      .then(() => {
        this.#retryAtMs = 0
        this.#pause.reset()
      })
      .finally(() => {
        this.#running = null
      })
    await this.#running
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer ?? undefined)
    clearTimeout(this.#due ?? undefined)
    await this.#running?.catch(() => undefined)
  }

  async #moveQuietly(): Promise<void> {
    if (this.#isClosed || steadyClockMs() < this.#retryAtMs) {
      return
    }
    try {
      await this.moveNow()
    } catch (error) {
      this.#retryAtMs = steadyClockMs() + this.#pause.next()
      this.#props.onFailure(error)
    }
  }

  #tick(): void {
    try {
      const version = this.#props.dataVersion()
      if (version !== this.#dataVersion) {
        this.#dataVersion = version
        this.#props.onForeignCommit()
        this.wake()
      }
      if (this.#retryAtMs > 0 && steadyClockMs() >= this.#retryAtMs) {
        this.#retryAtMs = 0
        this.wake()
      }
    } catch (error) {
      this.#props.onFailure(error)
    }
  }
}
