/** Queries that wait for the copy to get somewhere, each with a time after which it gives up. */
export class FreshnessWaiters {
  readonly #listeners = new Set<() => void>()

  /** Something has changed: everybody looks again. */
  notify(): void {
    for (const listener of [...this.#listeners]) {
      listener()
    }
  }

  /** Resolves true when `isReached` says so after a change, false after `timeoutMs`. */
  reach(isReached: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        resolve(result)
      }
      const listener = () => {
        if (isReached()) {
          finish(true)
        }
      }
      const timer = setTimeout(() => finish(false), timeoutMs)
      this.#listeners.add(listener)
    })
  }

  /** Resolves with the next change, at the latest after `timeoutMs`. */
  async anyChange(timeoutMs: number): Promise<void> {
    await this.reach(() => true, timeoutMs)
  }
}
