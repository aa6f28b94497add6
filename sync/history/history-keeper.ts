import { limits } from '../../src/core/limits.js'
import { reach, wallClockMs } from '../../src/core/outside-world.js'
import { listTableNames, readSchemaVersion, readTableShape } from '../../src/oltp/catalogue.js'
import { openHistoryConnection } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { installChangeLog, registerConsumer } from '../capture/change-log.js'
import {
  installHistoryLog,
  markTemporal,
  pruneHistoryLog,
  readTemporalTables,
  refuseHistory,
} from '../capture/history-log.js'
import { captureTable } from '../capture/table-capture.js'
import { refuseCapture } from '../capture/triggers.js'
import type { SourceAccess } from '../read/source-access.js'
import { SourceNow } from '../read/source-now.js'
import { isBusy, writePatiently } from '../read/write-patiently.js'
import { CommitMarks } from './commit-marks.js'
import { installHistory, readConsumerId, readHistoryState } from './history-schema.js'
import { type MovedChanges, moveChanges } from './move-changes.js'

export interface HistoryKeeperProps {
  readonly access: SourceAccess
  /** The database, a WAL file. */
  readonly sourcePath: string
  /** The history, made if need be. */
  readonly path: string
  /** The tables whose history is kept, beside those that are temporal already. */
  readonly tables: 'all' | readonly string[]
}

/** Keeps the history of temporal tables: lets them be captured, and moves what was into its file. */
export class HistoryKeeper {
  readonly #props: HistoryKeeperProps
  readonly history: SqliteDatabase
  readonly #consumerId: string
  readonly #source: SourceNow
  readonly #marks = new CommitMarks()
  #refused: ReadonlyMap<string, string> = new Map()
  #schemaVersion = -1
  #prunedSeq = 0

  private constructor(props: HistoryKeeperProps, history: SqliteDatabase) {
    this.#props = props
    this.history = history
    this.#source = new SourceNow(props.access)
    this.#consumerId = readConsumerId(history)
  }

  /** @throws HtapError `history-unusable` when the path holds something else */
  static async open(props: HistoryKeeperProps): Promise<HistoryKeeper> {
    const { path, sourcePath } = props
    return new HistoryKeeper(props, await openHistoryConnection(path, sourcePath, installHistory))
  }

  /** Tables that cannot be temporal, and why. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused
  }

  /** A transaction has ended: what follows belongs to another one. */
  noteCommit(): void {
    const head = this.#source.head()
    if (head !== undefined && head !== null) {
      this.#marks.note(head.position)
    }
  }

  /**
   * Moves everything that is committed now into the history, and then deletes it from the log.
   *
   * @returns the newest position of the history, and the `seq` of the log that it stands for
   * @throws better-sqlite3's SqliteError when the history cannot be written or the source stays locked
   */
  async move(): Promise<MovedChanges> {
    for (;;) {
      if ((await this.#source.settledSchemaVersion()) !== this.#schemaVersion) {
        await this.#capture()
      }
      this.noteCommit()
      const { seq } = readHistoryState(this.history)
      const moved = moveChanges(this.history, {
        schemaVersion: this.#schemaVersion,
        marks: this.#marks.after(seq),
      })
      if (moved.isDone) {
        this.#marks.forget(moved.seq)
        await this.#prune(moved.seq)
        return moved
      }
    }
  }

  close(): void {
    this.history.close()
  }

  /** Makes sure that every temporal table is captured as it is now. */
  async #capture(): Promise<void> {
    const { access, tables } = this.#props
    this.#schemaVersion = await writePatiently(access, (database) => {
      installChangeLog(database)
      installHistoryLog(database)
      for (const name of tables === 'all' ? listTableNames(database) : tables) {
        markTemporal(database, name)
      }
      const refused = new Map<string, string>()
      for (const name of readTemporalTables(database)) {
        const reason = captureTemporal(database, name)
        if (reason !== null) {
          refused.set(name, reason)
        }
      }
      this.#refused = refused
      const { seq } = readHistoryState(this.history)
      registerConsumer(database, { id: this.#consumerId, position: seq, seenMs: wallClockMs() })
      return readSchemaVersion(database)
    })
  }

  async #prune(seq: number): Promise<void> {
    if (seq === this.#prunedSeq) {
      return
    }
    try {
      for (let pruned: number = limits.pruneRowsMax; pruned === limits.pruneRowsMax; ) {
        pruned = await this.#props.access.write((database) => {
          registerConsumer(database, { id: this.#consumerId, position: seq, seenMs: wallClockMs() })
          return pruneHistoryLog(database, seq, limits.pruneRowsMax)
        })
        reach('history.pruned')
        await turnOfLoop()
      }
      this.#prunedSeq = seq
    } catch (error) {
      // Somebody writes: the next move comes by again.
      if (!isBusy(error)) {
        throw error
      }
    }
  }
}

/** Why the table cannot be temporal; null where it is captured. */
function captureTemporal(database: SqliteDatabase, name: string): string | null {
  const shape = readTableShape(database, name)
  if ('refused' in shape) {
    return shape.refused
  }
  const reason = refuseCapture(shape) ?? refuseHistory(shape)
  if (reason === null) {
    captureTable(database, shape)
  }
  return reason
}
