import { limits } from '../../src/core/limits.js'
import { reach, steadyClockMs, wallClockMs } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import type { SourceAccess } from '../read/source-access.js'
import { isBusy } from '../read/write-patiently.js'
import {
  deleteConsumer,
  expireConsumers,
  moveConsumer,
  pruneChangeLog,
  readSlowestPosition,
} from './change-log.js'
import { lostPlace } from './lost-place.js'
import { truncateChangeLog } from './truncate-change-log.js'

/**
 * Deletes log rows that every consumer has applied, a thousand at a time and never while
 * somebody else writes. It runs after a large sync and when nothing happens.
 */
export class LogPruner {
  readonly #access: SourceAccess
  readonly #consumerId: string
  readonly #backlogRowsMax: number
  /** Up to where rows were to be deleted, and up to where all consumers let them be. */
  #askedPosition = 0
  #prunedPosition = 0
  #changedAtMs = 0
  #seenAtMs = steadyClockMs()
  #lastPosition = 0
  #isPruning = false

  /** @param backlogRowsMax applied changes that may wait in the log before it is pruned at once */
  constructor(access: SourceAccess, consumerId: string, backlogRowsMax: number) {
    this.#access = access
    this.#consumerId = consumerId
    this.#backlogRowsMax = backlogRowsMax
  }

  /** After a sync to `position`; `needed` is the oldest position that copies still read from. */
  async afterSync(position: number, needed: number, isClosing: () => boolean): Promise<void> {
    if (position !== this.#lastPosition) {
      this.#lastPosition = position
      this.#changedAtMs = steadyClockMs()
    }
    if (needed - this.#askedPosition >= this.#backlogRowsMax) {
      await this.#prune(needed, isClosing)
    }
  }

  /** After another consumer has moved on, which may have held back what `afterSync` was to delete. */
  async afterOther(needed: number, isClosing: () => boolean): Promise<void> {
    if (needed - this.#prunedPosition >= this.#backlogRowsMax) {
      await this.#prune(needed, isClosing)
    }
  }

  /** Called often; prunes when the last change is some time ago, and gives a sign of life. */
  tick(position: number, needed: number): void {
    const now = steadyClockMs()
    const isIdle =
      needed > this.#askedPosition &&
      position === this.#lastPosition &&
      now - this.#changedAtMs > limits.pruneIdleMs
    if ((isIdle || now - this.#seenAtMs > limits.heartbeatMs) && !this.#isPruning) {
      void this.#prune(needed, () => false).catch(() => undefined)
    }
  }

  /** A mirror in memory ends with its process, so it takes its place in the log with it. */
  async close(position: number, isInMemory: boolean): Promise<void> {
    if (isInMemory) {
      await this.#access.write((database) => deleteConsumer(database, this.#consumerId))
    } else if (position > this.#askedPosition) {
      await this.#access.write((database) => this.#moveConsumer(database, position))
    }
  }

  async #prune(position: number, isClosing: () => boolean): Promise<void> {
    if (this.#isPruning) {
      return
    }
    this.#isPruning = true
    try {
      let isFirst = true
      let upTo = position
      for (
        let pruned: number = limits.pruneRowsMax;
        pruned === limits.pruneRowsMax && !isClosing();
      ) {
        pruned = await this.#access.write((database) => {
          if (isFirst) {
            isFirst = false
            this.#moveConsumer(database, position)
            expireConsumers(database, wallClockMs())
          }
          const slowest = readSlowestPosition(database) ?? position
          upTo = Math.min(slowest, position)
          const isOwn = this.#access.workerPath !== null
          const isEmptied = isOwn && truncateChangeLog(database, upTo)
          const count = isEmptied ? 0 : pruneChangeLog(database, upTo, limits.pruneRowsMax)
          reach('prune.in-transaction')
          return count
        })
        reach('prune.committed')
        await turnOfLoop()
      }
      this.#askedPosition = position
      this.#prunedPosition = upTo
    } catch (error) {
      if (!isBusy(error)) {
        throw error
      }
      // Somebody writes: the next tick tries again.
    } finally {
      this.#isPruning = false
    }
  }

  /** @throws HtapError `sync-failed` when the log has forgotten this mirror */
  #moveConsumer(database: SqliteDatabase, position: number): void {
    const place = { id: this.#consumerId, position, seenMs: wallClockMs() }
    if (!moveConsumer(database, place)) {
      throw lostPlace()
    }
    this.#seenAtMs = steadyClockMs()
  }
}
