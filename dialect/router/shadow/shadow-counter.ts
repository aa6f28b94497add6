/** What shadow mode has done so far. */
export interface ShadowStatus {
  /** Answers that were picked. Each ends in one of the following, unless it still runs. */
  readonly sampled: number
  /** SQLite gave the same answer. */
  readonly equal: number
  /** The two engines could not be met at one position. */
  readonly moved: number
  /** Not compared, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** Both engines, asked again at one position, differed. */
  readonly mismatched: number
  /**
   * The answer given to the application differed, both engines asked again did not. The
   * application changes the rows that it is given, or a fault did not repeat.
   */
  readonly unrepeated: number
  /** Texts of queries that are kept on SQLite because their answers differed. */
  readonly quarantined: readonly string[]
}

export type ShadowCount = 'sampled' | 'equal' | 'moved' | 'mismatched' | 'unrepeated'

/** Counts samples; reasons are few, because they are fixed phrases. */
export class ShadowCounter {
  readonly #counts = { sampled: 0, equal: 0, moved: 0, mismatched: 0, unrepeated: 0 }
  readonly #skipped = new Map<string, number>()

  add(count: ShadowCount): void {
    this.#counts[count]++
  }

  skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1)
  }

  read(quarantined: Iterable<string>): ShadowStatus {
    return Object.freeze({
      ...this.#counts,
      skipped: Object.freeze(Object.fromEntries(this.#skipped)),
      quarantined: Object.freeze([...quarantined]),
    })
  }
}
