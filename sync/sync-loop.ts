import { limits } from '../src/core/limits.js'
import { steadyClockMs } from '../src/core/outside-world.js'
import { isLostPlace } from './capture/lost-place.js'

interface SyncLoopProps {
  /** Whether there is something that could be synced. */
  readonly isReady: () => boolean
  readonly isClosing: () => boolean
  /** Applies what is pending; returns whether more is to be expected at once. */
  readonly sync: () => Promise<boolean>
  /** The copy has moved on. */
  readonly onProgress: () => void
  /** Nothing is pending any more. */
  readonly onIdle: () => Promise<void>
  readonly onFailure: (error: unknown) => void
  /** The mirror has lost its place, or syncing fails again and again. */
  readonly onLost: (error: unknown) => void
  /** Moves when another connection has committed; null if it cannot be told. */
  readonly dataVersion: () => number | null
  /** Called with every tick of the timer, for work that can wait. */
  readonly onTick: () => void
  readonly onTickFailure: (error: unknown) => void
}

/**
 * Decides when changes are applied: when somebody commits here, when a number in SQLite tells
 * that another connection has committed, and again some time after a failure. One run at a time.
 */
export class SyncLoop {
  readonly #props: SyncLoopProps
  #running: Promise<void> | null = null
  #isWoken = false
  /** Somebody asked for a run since the one that is under way has looked last. */
  #isWanted = false
  #freshAtMs = 0
  #failures = 0
  #retryAtMs = 0
  #timer: NodeJS.Timeout | null = null
  #lastDataVersion: number | null = null

  constructor(props: SyncLoopProps) {
    this.#props = props
  }

  /** Since when the copy may be behind: the start of the last run that succeeded. */
  get freshAtMs(): number {
    return this.#freshAtMs
  }

  /** @param intervalMs how often commits of other connections are looked for */
  start(intervalMs: number): void {
    this.#timer = setInterval(() => this.#tick(), intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) {
      clearInterval(this.#timer)
    }
    this.#timer = null
    this.#failures = 0
  }

  /** Something was committed: look for changes in the next turn of the event loop. */
  wake(): void {
    if (!this.#props.isReady() || this.#isWoken) {
      return
    }
    this.#isWoken = true
    setImmediate(() => {
      this.#isWoken = false
      void this.run()
    })
  }

  /**
   * Syncs until nothing is pending that was committed before the call; joins the run that is under
   * way. Never rejects.
   */
  run(): Promise<void> {
    if (!this.#props.isReady()) {
      return Promise.resolve()
    }
    this.#isWanted = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      this.#props.onProgress()
    })
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      // The log is shortened inside of a run: what is committed meanwhile is not to wait for the
      // next commit.
      while (this.#isWanted && !this.#props.isClosing()) {
        await this.#syncAll()
        await this.#props.onIdle()
      }
    } catch (error) {
      this.#props.onFailure(error)
      this.#failures++
      this.#retryAtMs = steadyClockMs() + limits.copyRetryMs
      if (isLostPlace(error) || this.#failures >= limits.syncFailuresMax) {
        this.#props.onLost(error)
      }
    }
  }

  async #syncAll(): Promise<void> {
    for (let isPending = true; isPending && !this.#props.isClosing(); ) {
      const startedAtMs = performance.now()
      this.#isWanted = false
      isPending = await this.#props.sync()
      this.#freshAtMs = startedAtMs
      this.#failures = 0
      this.#props.onProgress()
    }
  }

  #tick(): void {
    try {
      const version = this.#props.dataVersion()
      if (version !== null && version !== this.#lastDataVersion) {
        this.#lastDataVersion = version
        this.wake()
      }
      if (this.#failures > 0 && steadyClockMs() >= this.#retryAtMs) {
        this.wake()
      }
      this.#props.onTick()
    } catch (error) {
      this.#props.onTickFailure(error)
    }
  }
}
