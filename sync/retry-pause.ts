import { limits } from '../src/core/limits.js'
import { steadyClockMs } from '../src/core/outside-world.js'

/** Counts failures in a row, and tells how long to rest after each: twice as long as before. */
export class RetryPause {
  #failures = 0
  #lastAtMs = Number.NEGATIVE_INFINITY

  /** Failures in a row; long after the last one, the next begins a new row. */
  get failures(): number {
    return this.#failures
  }

  /** Notes a failure; returns how many milliseconds to rest. */
  next(): number {
    const nowMs = steadyClockMs()
    const pauseMs = (failures: number) =>
      Math.min(limits.copyRetryMs * 2 ** (failures - 1), limits.copyRetryMsMax)
    if (nowMs - this.#lastAtMs > pauseMs(this.#failures) + limits.copyRetryMsMax) {
      this.#failures = 0
    }
    this.#failures++
    this.#lastAtMs = nowMs
    return pauseMs(this.#failures)
  }

  reset(): void {
    this.#failures = 0
  }
}
