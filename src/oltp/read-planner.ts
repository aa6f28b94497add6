import { limits } from '../core/limits.js'
import { boundVisits, describeRead, type ReadProgram } from './read-program.js'
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js'
import type { PreparedStatement } from './statement-cache.js'

/** Where a read runs best, as far as it is known; learns from each run. */
export class ReadPlan {
  readonly program: ReadProgram
  readonly schemaVersion: number
  #belongsOnThread: boolean
  #quickRuns = 0

  constructor(program: ReadProgram, schemaVersion: number, belongsOnThread: boolean) {
    this.program = program
    this.schemaVersion = schemaVersion
    this.#belongsOnThread = belongsOnThread
  }

  get belongsOnThread(): boolean {
    return this.#belongsOnThread
  }

  noteInline(durationMs: number): void {
    if (durationMs > limits.slowReadMs) {
      this.#belongsOnThread = true
      this.#quickRuns = 0
    }
  }

  noteThread(durationMs: number): void {
    this.#quickRuns = durationMs < limits.quickReadMs ? this.#quickRuns + 1 : 0
    if (this.#quickRuns >= limits.quickReadsMin) {
      this.#belongsOnThread = false
    }
  }
}

/** Plans the reads of one connection, each statement once and anew after a schema change. */
export class ReadPlanner {
  readonly #database: SqliteDatabase
  readonly #plans = new WeakMap<PreparedStatement, ReadPlan>()

  readonly #schemaVersionStatement: SqliteStatement

  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#schemaVersionStatement = database.prepare('pragma schema_version').pluck()
  }

  /** Null when the parameters do not fit; running the statement will say how. */
  plan(prepared: PreparedStatement, parameters: readonly unknown[]): ReadPlan | null {
    const known = this.#plans.get(prepared)
    // Only what leaves the connection depends on the program; the check costs 3 us.
    if (known !== undefined && !(known.belongsOnThread && this.#isStale(known))) {
      return known
    }
    try {
      const program = describeRead(this.#database, prepared.statement.source, parameters)
      const isShort =
        program.isKeyLookup || boundVisits(this.#database, program) <= limits.smallReadVisitsMax
      const plan = new ReadPlan(program, this.#schemaVersion(), !isShort)
      this.#plans.set(prepared, plan)
      return plan
    } catch {
      return null
    }
  }

  #isStale(plan: ReadPlan): boolean {
    return plan.schemaVersion !== this.#schemaVersion()
  }

  #schemaVersion(): number {
    return Number(this.#schemaVersionStatement.get())
  }
}
