import type { PastDatabase } from './past-database.js'

/** Databases of the past by what they hold; beyond the limit the one that was not used for longest goes. */
export class PastDatabases {
  readonly #max: number
  readonly #entries = new Map<string, Promise<PastDatabase>>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: string, open: () => Promise<PastDatabase>): Promise<PastDatabase> {
    const known = this.#entries.get(key)
    const entry = known ?? open()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (known === undefined) {
      entry.catch(() => this.#entries.delete(key))
      this.#trim()
    }
    return entry
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    for (const entry of entries) {
      await entry.then((database) => database.close()).catch(() => undefined)
    }
  }

  /** Not closed: a query may still use it. Memory is all that it holds, and goes with it. */
  #trim(): void {
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#max && oldest !== undefined) {
      this.#entries.delete(oldest)
    }
  }
}
