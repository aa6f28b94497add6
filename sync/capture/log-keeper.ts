import { limits } from '../../src/core/limits.js'
import { wallClockMs } from '../../src/core/outside-world.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import type { SourceAccess } from '../read/source-access.js'
import { isBusy, writePatiently } from '../read/write-patiently.js'
import {
  expelConsumers,
  expireConsumers,
  hasOwnChangeLog,
  moveConsumer,
  pruneChangeLog,
  readLogSpan,
  readSlowestPosition,
} from './change-log.js'

interface LogKeeperProps {
  readonly access: SourceAccess
  /** Rows that the log may have. */
  readonly rowsMax: number
  /** The mirror of this process, which is ahead of what the log knows of it; null without one. */
  readonly ownPlace: () => { readonly id: string; readonly position: number } | null
  readonly onFailure: (error: unknown) => void
}

/**
 * Keeps the change log from growing without bound, whoever holds the mirror and whether anybody
 * does. The usual pruning waits for the slowest mirror. At the limit it waits no longer: dead
 * mirrors are forgotten, then those that are too far behind, which notice it and begin anew.
 */
export class LogKeeper {
  readonly #props: LogKeeperProps
  #timer: NodeJS.Timeout | null = null
  #checking: Promise<void> | null = null
  #isClosed = false

  constructor(props: LogKeeperProps) {
    this.#props = props
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#checking ??= this.#check()
        .catch((error: unknown) => {
          // Somebody writes: next time.
          if (!isBusy(error)) {
            this.#props.onFailure(error)
          }
        })
        .finally(() => {
          this.#checking = null
        })
    }, limits.logCheckMs)
    this.#timer.unref()
  }

  /** Null while a transaction on a shared connection hides the log. */
  rowsNow(): number | null {
    const read = this.#props.access.readNow((database) =>
      hasOwnChangeLog(database) ? readLogSpan(database).rows : 0,
    )
    return read ?? null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) {
      clearInterval(this.#timer)
    }
    await this.#checking
  }

  async #check(): Promise<void> {
    const { access, rowsMax } = this.#props
    const rows = this.rowsNow()
    if (rows === null || rows <= rowsMax) {
      return
    }
    for (let pruned: number = limits.pruneRowsMax; pruned === limits.pruneRowsMax; ) {
      if (this.#isClosed) {
        return
      }
      pruned = await writePatiently(access, (database) => {
        const { head } = readLogSpan(database)
        const own = this.#props.ownPlace()
        const seenMs = wallClockMs()
        if (own !== null) {
          moveConsumer(database, { ...own, seenMs })
        }
        expireConsumers(database, seenMs)
        expelConsumers(database, head - rowsMax)
        return pruneChangeLog(database, readSlowestPosition(database) ?? head, limits.pruneRowsMax)
      })
      await turnOfLoop()
    }
  }
}
