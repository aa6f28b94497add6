import { limits } from '../../src/core/limits.js'
import type { Writer } from '../../src/oltp/writer.js'
import type { SyncEngine } from '../../sync/sync-engine.js'
import type { Consistency } from '../htap-dialect-config.js'

/** Whether the copy may answer, and what that took. */
export interface Freshness {
  readonly isFresh: boolean
  readonly waitMs: number
  /** Changes that were committed but not applied when the query was let through; null if unknown. */
  readonly lagChanges: number | null
}

/**
 * Brings the copy up to what a consistency level promises, or says that this takes too long.
 *
 * - strong: every commit that was there when the query began
 * - session: every commit of this Kysely instance
 * - maxStalenessMs: at most that old, else as strong
 * - latest: no promise
 */
export class FreshnessGate {
  readonly #engine: SyncEngine
  readonly #writer: Writer
  #sessionPosition = 0
  /** False when the position of the last commit could not be read: then `session` is as `strong`. */
  #isSessionKnown = true

  constructor(engine: SyncEngine, writer: Writer) {
    this.#engine = engine
    this.#writer = writer
  }

  /** This instance has committed: `session` must see it. Never throws: the commit stands. */
  noteCommit(): void {
    try {
      this.#sessionPosition = Math.max(this.#sessionPosition, this.#engine.headNow() ?? 0)
      this.#isSessionKnown = true
    } catch {
      this.#isSessionKnown = false
    }
  }

  /** @param affordableMs what waiting may cost before SQLite is the better choice */
  async pass(
    consistency: Consistency,
    waitTimeoutMs: number,
    affordableMs: number,
  ): Promise<Freshness> {
    if (consistency === 'latest') {
      const head = this.#engine.headNow()
      return { isFresh: true, waitMs: 0, lagChanges: this.#lag(head) }
    }
    const target = await this.#target(consistency)
    if (target === null || target <= this.#engine.position) {
      return { isFresh: true, waitMs: 0, lagChanges: this.#lag(target) }
    }
    const pendingMs = (target - this.#engine.position) * limits.applyChangeMsEstimate
    if (pendingMs > Math.min(waitTimeoutMs, affordableMs)) {
      this.#engine.wake()
      return { isFresh: false, waitMs: 0, lagChanges: this.#lag(target) }
    }
    const startMs = performance.now()
    const isFresh = await this.#engine.reach(target, waitTimeoutMs)
    return { isFresh, waitMs: performance.now() - startMs, lagChanges: this.#lag(target) }
  }

  /** The position that must be applied; null if any will do. */
  async #target(consistency: Exclude<Consistency, 'latest'>): Promise<number | null> {
    if (consistency === 'session' && this.#isSessionKnown) {
      return this.#sessionPosition
    }
    // A transaction on a shared connection hides the head: SQLite would wait for its end, too.
    const head =
      this.#engine.headNow() ?? (await this.#writer.runExclusive(() => this.#engine.headNow())) ?? 0
    if (consistency === 'strong' || consistency === 'session') {
      return head
    }
    const staleness = this.#engine.stalenessMs(head)
    return staleness <= consistency.maxStalenessMs ? null : head
  }

  #lag(head: number | null): number | null {
    return head === null ? null : Math.max(0, head - this.#engine.position)
  }
}
