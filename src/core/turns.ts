/**
 * Lets a bounded number in at a time, one by default, in the order of asking. The queue is as
 * long as its callers are many: each waits with one promise of its own.
 */
export class Turns {
  readonly #placesMax: number
  #placesTaken = 0
  #waiting: Waiter[] = []

  constructor(placesMax = 1) {
    this.#placesMax = placesMax
  }

  get isFree(): boolean {
    return this.#placesTaken < this.#placesMax
  }

  tryEnter(): boolean {
    if (!this.isFree) {
      return false
    }
    this.#placesTaken += 1
    return true
  }

  /** @throws the signal's reason when it fires before the turn has come. */
  enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) {
      return Promise.reject(signal.reason)
    }
    if (this.tryEnter()) {
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal?.removeEventListener('abort', abandon)
          resolve()
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', abandon)
          reject(error)
        },
      }
      const abandon = () => {
        this.#waiting = this.#waiting.filter((it) => it !== waiter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abandon, { once: true })
      this.#waiting.push(waiter)
    })
  }

  /** Hands over to the longest waiting; without a gap in which somebody else could slip in. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#placesTaken -= 1
    } else {
      next.admit()
    }
  }

  /** Runs `section` when its turn has come. */
  async run<T>(section: () => Promise<T>): Promise<T> {
    await this.enter()
    try {
      return await section()
    } finally {
      this.leave()
    }
  }

  /** Turns away everybody who still waits; who is in keeps the turn. */
  refuseWaiting(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) {
      waiter.refuse(error)
    }
  }
}

interface Waiter {
  readonly admit: () => void
  readonly refuse: (error: Error) => void
}
