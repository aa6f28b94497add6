import { limits } from '../../src/core/limits.js'
import { reach, wallClockMs } from '../../src/core/outside-world.js'
import { internalPrefix, readSchemaVersion } from '../../src/oltp/catalogue.js'
import { makeHistoryFile, openHistoryConnection } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { deleteOtherHistories, moveConsumer, registerConsumer } from '../capture/change-log.js'
import { isSamePlace } from '../capture/log-place.js'
import { pruneHistoryLog } from '../capture/prune-history-log.js'
import { pruneSchemas } from '../capture/schema-notes.js'
import type { SourceAccess } from '../read/source-access.js'
import { SourceNow } from '../read/source-now.js'
import { isBusy, writePatiently } from '../read/write-patiently.js'
import { captureTemporalTables, type TemporalTables } from './capture-temporal.js'
import { ChangeMover } from './change-mover.js'
import { CommitMarks } from './commit-marks.js'
import { installHistory, readConsumerId, readHistoryState } from './history-schema.js'
import { HistoryThreads } from './history-threads.js'
import { LaterCheckpoint } from './later-checkpoint.js'
import type { MovedChanges } from './move-changes.js'
import { VersionReader } from './version-reader.js'

export interface HistoryKeeperProps extends TemporalTables {
  readonly access: SourceAccess
  /** The database, a WAL file. */
  readonly sourcePath: string
  /** The history, made if need be. */
  readonly path: string
  /** SQLite's own log could not be written back; it is tried again after the next move. */
  readonly onFailure: (error: unknown) => void
}

/** Keeps the history of temporal tables: lets them be captured, and moves what was into its file. */
export class HistoryKeeper {
  readonly #props: HistoryKeeperProps
  readonly history: SqliteDatabase
  readonly versions: VersionReader
  readonly #consumerId: string
  readonly #source: SourceNow
  readonly #threads: HistoryThreads
  readonly #mover: ChangeMover
  readonly #checkpoint: LaterCheckpoint
  readonly #marks = new CommitMarks()
  #refused: ReadonlyMap<string, string> = new Map()
  #schemaVersion = -1
  /** Under which a move has found everything. */
  #movedSchemaVersion = -1
  #notedSeq = -1
  #prunedSeq = 0
  #pruning: Promise<void> | null = null

  private constructor(props: HistoryKeeperProps, history: SqliteDatabase) {
    this.#props = props
    this.history = history
    this.#source = new SourceNow(props.access)
    this.#consumerId = readConsumerId(history)
    this.#threads = new HistoryThreads(props.path, props.sourcePath)
    this.#mover = new ChangeMover(history, this.#threads)
    this.#checkpoint = new LaterCheckpoint(() => this.#mover.checkpoint(), props.onFailure)
    this.versions = new VersionReader(history, this.#threads)
  }

  /** @throws HtapError `history-unusable` when the path holds something else */
  static async open(props: HistoryKeeperProps): Promise<HistoryKeeper> {
    const { path, sourcePath } = props
    await makeHistoryFile(path, sourcePath, installHistory)
    return new HistoryKeeper(props, await openHistoryConnection(path, sourcePath))
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
   * @throws as `moveOnly`
   */
  async move(): Promise<MovedChanges> {
    const moved = await this.moveOnly()
    await this.prune()
    return moved
  }

  /**
   * Moves everything that is committed now into the history.
   *
   * @returns the newest position of the history, and the `seq` of the log that it stands for
   * @throws better-sqlite3's SqliteError when the history cannot be written or the source stays locked
   */
  async moveOnly(): Promise<MovedChanges> {
    for (;;) {
      if ((await this.#source.settledSchemaVersion()) !== this.#schemaVersion) {
        await this.#capture()
      }
      this.noteCommit()
      const { seq, mark, position } = readHistoryState(this.history)
      if (this.#isMoved({ position: seq, mark })) {
        return { isDone: true, seq, position, owesCheckpoint: this.#checkpoint.isOwed }
      }
      const schemaVersion = this.#schemaVersion
      const moved = await this.#mover.move({
        consumerId: this.#consumerId,
        schemaVersion,
        marks: this.#marks.after(seq),
        owesCheckpoint: this.#checkpoint.isOwed,
      })
      if (moved.isDone) {
        this.#movedSchemaVersion = schemaVersion
        this.#marks.forget(moved.seq)
        if (moved.owesCheckpoint) {
          this.#checkpoint.owe()
        }
        return moved
      }
    }
  }

  /**
   * The schema has changed in a transaction of the application, on whose connection this is: what it
   * writes next belongs to the new one. Changes nothing where that cannot be done.
   */
  captureWithin(database: SqliteDatabase): void {
    const savepoint = `${internalPrefix}capture`
    try {
      database.exec(`savepoint ${savepoint}`)
    } catch {
      // Another process writes, or nobody may: the next move captures.
      return
    }
    try {
      this.#captureIn(database)
      database.exec(`release ${savepoint}`)
    } catch {
      if (database.inTransaction) {
        database.exec(`rollback to ${savepoint}; release ${savepoint}`)
      }
    }
  }

  /**
   * Lets the log know what the history has, in a short transaction: a mirror that deletes what nobody needs then empties
   * its part at once, instead of a thousand rows at a time.
   */
  async noteMoved(): Promise<void> {
    if (!this.history.open) {
      return
    }
    const { seq } = readHistoryState(this.history)
    if (seq === this.#notedSeq) {
      return
    }
    try {
      await this.#props.access.write((database) => this.#moveConsumer(database, seq))
      this.#notedSeq = seq
    } catch (error) {
      // Somebody writes: pruning comes by again.
      if (!isBusy(error)) {
        throw error
      }
    }
  }

  /** False when another history has taken over. */
  #moveConsumer(database: SqliteDatabase, seq: number): boolean {
    return moveConsumer(database, { id: this.#consumerId, position: seq, seenMs: wallClockMs() })
  }

  /**
   * Deletes from the log what the history has, unless that was closed. One at a time does; a later one sees
   * to the rest.
   */
  async prune(): Promise<void> {
    await this.#pruning
    if (!this.history.open) {
      return
    }
    this.#pruning ??= this.#prune().finally(() => {
      this.#pruning = null
    })
    await this.#pruning
  }

  async close(): Promise<void> {
    await this.#pruning?.catch(() => undefined)
    await this.#checkpoint.close()
    await this.#threads.close()
    this.history.close()
  }

  /** Nothing was committed since a move of ours up to this place, and VACUUM neither. */
  #isMoved({
    position,
    mark,
  }: {
    readonly position: number
    readonly mark: bigint | null
  }): boolean {
    const head = this.#source.head()
    return (
      this.#schemaVersion === this.#movedSchemaVersion &&
      mark !== null &&
      head !== undefined &&
      head !== null &&
      isSamePlace(head, { position, mark })
    )
  }

  /** Makes sure that every temporal table is captured as it is now. */
  async #capture(): Promise<void> {
    const { access } = this.#props
    this.#schemaVersion = await writePatiently(access, (database) => {
      this.#captureIn(database)
      this.#takeOver(database)
      return readSchemaVersion(database)
    })
  }

  /**
   * A database has one history: what that has is deleted from the log. Where another one was there in
   * the meantime, what this one has missed is found by a comparison.
   */
  #takeOver(database: SqliteDatabase): void {
    const { seq, epoch } = readHistoryState(this.history)
    const others = deleteOtherHistories(database, this.#consumerId)
    if (!this.#moveConsumer(database, seq)) {
      if (epoch !== null || others > 0) {
        this.history.exec('update history.history_capture set is_compared = 0')
      }
      registerConsumer(database, { id: this.#consumerId, position: seq, seenMs: wallClockMs() })
    }
  }

  #captureIn(database: SqliteDatabase): void {
    this.#refused = captureTemporalTables(database, this.#props)
  }

  async #prune(): Promise<void> {
    const { seq } = readHistoryState(this.history)
    if (seq === this.#prunedSeq) {
      return
    }
    try {
      for (let pruned: number = limits.pruneRowsMax; pruned === limits.pruneRowsMax; ) {
        pruned = await this.#props.access.write((database) => {
          if (!this.#moveConsumer(database, seq)) {
            return 0
          }
          pruneSchemas(database, seq)
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
