import { reach } from '../core/outside-world.js'
import { Turns } from '../core/turns.js'
import { ConnectionWatch } from './connection-watch.js'
import type { SqliteDatabase } from './sqlite-database.js'
import { type PreparedStatement, StatementCache } from './statement-cache.js'

/** What one statement answered. */
export interface StatementResult {
  readonly rows: unknown[]
  /** Absent for a statement that returns rows, also for `returning`, as better-sqlite3 has it. */
  readonly run?: { readonly changes: number; readonly lastInsertRowid: number | bigint }
}

/** Is told, synchronously, what the writer's statements brought about. */
export interface WriterObserver {
  /** After each autocommitted write and each commit. */
  noteCommit(): void
  /** After a statement that may have changed the schema or a setting; also when one is undone. */
  noteSchemaChange(): void
}

/**
 * The one connection that writes. Whoever wants to use it takes a turn; a transaction keeps
 * its turn from begin to end, so that nobody reads its uncommitted rows or joins it unasked.
 */
export class Writer {
  readonly database: SqliteDatabase
  readonly statements: StatementCache
  readonly #turns = new Turns()
  readonly #observers: WriterObserver[] = []
  readonly #endWatch: () => void
  #schemaTouchedInTransaction = false

  constructor(database: SqliteDatabase) {
    this.database = database
    const watch = ConnectionWatch.of(database)
    this.statements = new StatementCache(database, watch.isBlind ? 0 : undefined)
    // A statement keeps the integer mode of the moment in which it was prepared.
    this.#endWatch = watch.listen(() => this.statements.clear())
  }

  /** Nobody of ours uses the connection; the application itself may still have a transaction open. */
  get isFree(): boolean {
    return this.#turns.isFree
  }

  observe(observer: WriterObserver): void {
    this.#observers.push(observer)
  }

  tryEnter(): boolean {
    return this.#turns.tryEnter()
  }

  /** @throws the signal's reason when it fires before the turn has come. */
  enter(signal?: AbortSignal): Promise<void> {
    return this.#turns.enter(signal)
  }

  leave(): void {
    this.#turns.leave()
  }

  /** Lets go of the connection without closing it. */
  detach(): void {
    this.statements.clear()
    this.#endWatch()
  }

  refuseWaiting(error: Error): void {
    this.#turns.refuseWaiting(error)
  }

  /**
   * Runs synchronous work on the connection in a turn of its own. What it writes is not told to
   * the observers.
   */
  async runExclusive<T>(task: (database: SqliteDatabase) => T, signal?: AbortSignal): Promise<T> {
    await this.enter(signal)
    try {
      return task(this.database)
    } finally {
      this.leave()
    }
  }

  /** As `runExclusive`, at once or not at all. */
  tryExclusive<T>(task: (database: SqliteDatabase) => T): { readonly value: T } | null {
    if (!this.tryEnter()) {
      return null
    }
    try {
      return { value: task(this.database) }
    } finally {
      this.leave()
    }
  }

  /**
   * Runs one statement; only for who has the turn.
   *
   * @throws SqliteError as better-sqlite3 does.
   */
  execute(sql: string, parameters: readonly unknown[]): StatementResult {
    const prepared = this.statements.get(sql)
    const { statement } = prepared
    if (prepared.isPlainRead) {
      return { rows: statement.all(parameters) }
    }
    const wasInTransaction = this.database.inTransaction
    try {
      const result = statement.reader
        ? { rows: statement.all(parameters) }
        : { rows: [], run: statement.run(parameters) }
      this.#note(prepared, wasInTransaction, true)
      return result
    } catch (error) {
      this.#note(prepared, wasInTransaction, false)
      throw error
    }
  }

  #note(prepared: PreparedStatement, wasInTransaction: boolean, succeeded: boolean): void {
    const isInTransaction = this.database.inTransaction
    const isRollback = prepared.keyword === 'rollback'
    const undoesSchema = this.#schemaTouchedInTransaction && (isRollback || !isInTransaction)
    if (prepared.mayChangeSchema || undoesSchema) {
      this.#schemaTouchedInTransaction = isInTransaction
      this.statements.clear()
      for (const observer of this.#observers) {
        observer.noteSchemaChange()
      }
    }
    // `commit` itself counts as read-only for SQLite; what it ended is the transaction.
    const wrote = wasInTransaction || !prepared.statement.readonly
    if (succeeded && wrote && isInTransaction) {
      reach('write.in-transaction')
    }
    if (succeeded && wrote && !isInTransaction && !isRollback) {
      reach('write.committed')
      for (const observer of this.#observers) {
        observer.noteCommit()
      }
    }
  }
}
