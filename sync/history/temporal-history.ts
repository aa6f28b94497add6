import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { messageOf } from '../../src/core/message-of.js'
import { Turns } from '../../src/core/turns.js'
import type { OlapStore } from '../../src/olap/olap-store.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SourceAccess } from '../read/source-access.js'
import type { TemporalTables } from './capture-temporal.js'
import { type ErasedKeys, eraseKeys } from './erase-keys.js'
import { HistoryKeeper } from './history-keeper.js'
import { HistoryLoop } from './history-loop.js'
import { type HistoryState, readHistoryState } from './history-schema.js'
import type { HistoryTable } from './history-table.js'
import type { FindMirror } from './present-rows.js'
import {
  applyRetention,
  planRetention,
  type RetentionProps,
  type RetentionReport,
} from './retention.js'
import { positionAt } from './rows-as-of.js'
import { VersionCopies } from './version-copies.js'

/** How the history of tables is kept. */
export interface HistoryOptions extends TemporalTables {
  /** Where: a file of its own. */
  readonly path: string
  /** How often commits of other processes are looked for, in milliseconds. */
  readonly intervalMs: number
}

interface TemporalHistoryProps {
  readonly keeper: HistoryKeeper
  readonly access: SourceAccess
  readonly options: HistoryOptions
  /** The column store, opened if need be; null when there is none. */
  readonly openStore: () => Promise<OlapStore | null>
  /** Runs while nobody else writes to the column store. */
  readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
  readonly findMirror: FindMirror
  /** Waits, for a bounded time, until the mirror shows what the log has up to a `seq`. */
  readonly reachMirror: (seq: number) => Promise<unknown>
  /** The log knows that it need not keep for the history what that has. */
  readonly onMoved: () => Promise<void>
  readonly onFailure: (error: unknown) => void
}

/** Temporal mode of one database: keeps the history of its tables, and copies it for analytics. */
export class TemporalHistory {
  readonly #props: TemporalHistoryProps
  readonly #loop: HistoryLoop
  /** One at a time writes to the history. */
  readonly #turns = new Turns()
  /** One at a time brings the copies up to date. */
  readonly #copyTurns = new Turns()
  #isPruneDue = false
  #copies: { readonly store: OlapStore; readonly copies: VersionCopies } | null = null

  private constructor(props: TemporalHistoryProps) {
    this.#props = props
    this.#loop = new HistoryLoop({
      move: () => this.#moveFirst(),
      dataVersion: () => props.access.dataVersion(),
      onForeignCommit: () => props.keeper.noteCommit(),
      onFailure: props.onFailure,
    })
  }

  /**
   * Opens the history and lets all its tables be captured.
   *
   * @param sourcePath the database, a WAL file
   * @throws HtapError `history-unusable` when the path holds something else
   */
  static async open(
    props: Omit<TemporalHistoryProps, 'keeper'> & { readonly sourcePath: string },
  ): Promise<TemporalHistory> {
    const { access, sourcePath, options, onFailure } = props
    const keeper = await HistoryKeeper.open({ access, sourcePath, onFailure, ...options })
    try {
      await keeper.move()
    } catch (error) {
      await keeper.close()
      throw error
    }
    const history = new TemporalHistory({ ...props, keeper })
    history.#loop.start(options.intervalMs)
    return history
  }

  /** The file, with the source beside it; only to be read. */
  get file(): SqliteDatabase {
    return this.#props.keeper.history
  }

  get path(): string {
    return this.#props.options.path
  }

  get state(): HistoryState {
    return readHistoryState(this.file)
  }

  /** Tables that cannot be temporal, and why. */
  get refused(): ReadonlyMap<string, string> {
    return this.#props.keeper.refused
  }

  /** A transaction of this process has ended. Never throws: the commit stands. */
  noteCommit(): void {
    try {
      this.#props.keeper.noteCommit()
    } catch (error) {
      this.#props.onFailure(error)
    }
    this.#loop.wake()
  }

  /** The schema may have changed on this connection, in a transaction perhaps. Never throws. */
  noteSchemaChange(database: SqliteDatabase): void {
    this.#props.keeper.captureWithin(database)
    this.#loop.wake()
  }

  /** Moves everything that is committed now. */
  moveNow(): Promise<void> {
    return this.#loop.moveNow()
  }

  /** The position at an instant, once everything up to then is in the history; 0 before it began. */
  async settledPositionAt(instant: number): Promise<number> {
    if (instant >= this.state.instant) {
      await this.moveNow()
    }
    return positionAt(this.file, instant)
  }

  /**
   * Gives up versions that are too old or too many, or says what would go.
   *
   * @throws as `applyRetention`
   */
  retain(retention: RetentionProps, isDryRun: boolean): Promise<RetentionReport> {
    return this.#turns.run(async () => {
      await this.#props.keeper.move()
      if (isDryRun) {
        return await planRetention(this.file, retention)
      }
      const report = await applyRetention(this.file, retention)
      const touched = report.tables.filter(({ versions }) => versions > 0)
      // Copies that stay are found to be old ones when they are next asked for.
      await this.#forgetCopies(touched.map(({ table }) => table.id)).catch(this.#props.onFailure)
      return report
    })
  }

  /**
   * Erases keys of a table from all history, and from its copy.
   *
   * @throws as `eraseKeys`; HtapError `history-failed` when the copy cannot be cleared
   */
  erase(table: HistoryTable, keys: readonly (readonly unknown[])[]): Promise<ErasedKeys> {
    const { access, keeper } = this.#props
    return this.#turns.run(async () => {
      const move = () => keeper.move()
      const erased = await eraseKeys({ history: this.file, access, move, table, keys })
      await this.#forgetCopies([table.id]).catch((error: unknown) => {
        throw new HtapError(
          'history-failed',
          `what was erased from ${table.name} may still stand in DuckDB's copy: ${messageOf(error)}`,
          {
            hint: 'erase it again, or delete the file of the copy',
            cause: error,
            facts: { table: table.name },
          },
        )
      })
      return erased
    })
  }

  /** The copies of these tables with all that the history has; null without a column store. */
  async copiesOf(tables: readonly HistoryTable[]): Promise<VersionCopies | null> {
    const { openStore, exclusively, reachMirror } = this.#props
    const store = await openStore()
    if (store === null) {
      return null
    }
    return await this.#copyTurns.run(async () => {
      if (this.#copies?.store === store && (await this.#copies.copies.bringAhead(tables))) {
        await reachMirror(this.state.seq)
      }
      return await exclusively(async () => {
        const copies = await this.#openCopies(store)
        await copies.catchUp(tables)
        return copies
      })
    })
  }

  async #moveFirst(): Promise<void> {
    const { keeper } = this.#props
    const { seq } = await this.#turns.run(() => keeper.moveOnly())
    await keeper.noteMoved()
    await this.#props.onMoved()
    this.#pruneLater(seq).catch(this.#props.onFailure)
  }

  /**
   * Deletes from the log what was moved, once for all moves until then. That takes the main thread, and
   * somebody may wait for the mirror that appends on it, for the copy that follows, and for the query that
   * asked for it.
   */
  async #pruneLater(seq: number): Promise<void> {
    if (this.#isPruneDue) {
      return
    }
    this.#isPruneDue = true
    try {
      await this.#props.reachMirror(seq)
      await this.#copyTurns.run(() => Promise.resolve())
      await new Promise<void>((resolve) => {
        setTimeout(resolve, limits.historyMoveMs).unref()
      })
    } finally {
      this.#isPruneDue = false
    }
    await this.#props.keeper.prune()
  }

  async #openCopies(store: OlapStore): Promise<VersionCopies> {
    if (this.#copies?.store !== store) {
      const { keeper, findMirror } = this.#props
      const { history, versions: reader } = keeper
      const copies = await VersionCopies.open({ store, history, reader, findMirror })
      this.#copies = { store, copies }
    }
    return this.#copies.copies
  }

  async #forgetCopies(tableIds: readonly number[]): Promise<void> {
    const { openStore, exclusively } = this.#props
    const store = await openStore()
    if (store !== null && tableIds.length > 0) {
      await this.#copyTurns.run(() =>
        exclusively(async () => (await this.#openCopies(store)).forget(tableIds)),
      )
    }
  }

  /** Moves what is there, then lets go of the file. */
  async close(): Promise<void> {
    await this.#loop.close()
    try {
      await this.#props.keeper.move()
    } catch (error) {
      // The log keeps it for the next time.
      this.#props.onFailure(error)
    } finally {
      await this.#props.keeper.close()
    }
  }
}
