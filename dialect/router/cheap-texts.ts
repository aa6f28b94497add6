import { limits } from '../../src/core/limits.js'
import { steadyClockMs } from '../../src/core/outside-world.js'
import { BoundedMap } from './bounded-map.js'

/** Texts that were cheaper on SQLite a moment ago: finding it out again costs more than many of them. */
export class CheapTexts {
  readonly #untilMs = new BoundedMap<string, number>(limits.shapeCacheEntriesMax)

  add(sql: string): void {
    this.#untilMs.set(sql, steadyClockMs() + limits.cheapAgeMs)
  }

  has(sql: string): boolean {
    const untilMs = this.#untilMs.get(sql)
    return untilMs !== undefined && steadyClockMs() < untilMs
  }
}
