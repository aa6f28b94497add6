/**
 * A fair lock for asynchronous sections: waiters get it in the order in which they asked.
 *
 * ### Examples
 *
 * ```ts
 * const release = await mutex.acquire()
 * try { await work() } finally { release() }
 * ```
 */
export class AsyncMutex {
  readonly #waiters: (() => void)[] = []
  #held = false

  get held(): boolean {
    return this.#held
  }

  /** Resolves with the function that gives the lock back; call it exactly once. */
  async acquire(): Promise<() => void> {
    if (this.#held) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
    this.#held = true
    let released = false
    return () => {
      if (released) {
        return
      }
      released = true
      const next = this.#waiters.shift()
      if (next === undefined) {
        this.#held = false
      } else {
        // The lock passes on without becoming free, so that nobody can overtake the waiter.
        next()
      }
    }
  }

  async run<T>(section: () => Promise<T>): Promise<T> {
    const release = await this.acquire()
    try {
      return await section()
    } finally {
      release()
    }
  }
}
