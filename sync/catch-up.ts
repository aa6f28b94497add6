import { HtapError } from '../src/core/htap-error.js'
import { isGone, type LogPlace } from './capture/log-place.js'
import type { FreshnessWaiters } from './freshness-waiters.js'
import type { SourceNow } from './read/source-now.js'
import type { SyncLoop } from './sync-loop.js'

interface CatchUpProps {
  readonly source: SourceNow
  readonly waiters: FreshnessWaiters
  readonly loop: SyncLoop
  /** How far the copy has got; null while there is none that serves. */
  readonly place: () => LogPlace | null
  /** There is no mirror that could catch up, and none is being opened. */
  readonly isUnavailable: () => boolean
  /** Opens the mirror if need be. */
  readonly open: () => Promise<unknown>
  /** The log does not lead on from where the copy stands. */
  readonly onLost: () => void
}

/** How far the copy is behind the source, and waiting until it is not. */
export class CatchUp {
  readonly #props: CatchUpProps

  constructor(props: CatchUpProps) {
    this.#props = props
  }

  headNow(): number | null {
    if (this.#props.place() === null) {
      return 0
    }
    const head = this.#props.source.head()
    if (head === undefined) {
      return null
    }
    this.#noticeLoss(head)
    return head?.position ?? 0
  }

  stalenessMs(head: number): number {
    return this.#hasReached(head) ? 0 : performance.now() - this.#props.loop.freshAtMs
  }

  async reach(position: number, timeoutMs: number): Promise<boolean> {
    const { loop, waiters } = this.#props
    if (this.#hasReached(position)) {
      return true
    }
    loop.wake()
    const isOver = () => this.#hasReached(position) || this.#props.isUnavailable()
    if (!isOver()) {
      await waiters.reach(isOver, timeoutMs)
    }
    return this.#hasReached(position)
  }

  async syncNow(timeoutMs: number): Promise<void> {
    const head = await this.#props.source.settledHead()
    this.#noticeLoss(head)
    await this.#props.open()
    if (!(await this.reach(head?.position ?? 0, timeoutMs))) {
      // Throws where there is nothing left to wait for.
      await this.#props.open()
      throw new HtapError('wait-timeout', 'the copy did not catch up in time', {
        hint: 'see status() for the last error',
      })
    }
  }

  #hasReached(position: number): boolean {
    const place = this.#props.place()
    return place !== null && place.position >= position
  }

  #noticeLoss(head: LogPlace | null): void {
    const place = this.#props.place()
    if (place !== null && isGone(place, head)) {
      this.#props.onLost()
    }
  }
}
