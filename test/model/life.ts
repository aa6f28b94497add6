import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type CompiledQuery, Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { HtapDialect, type HtapError, htap, olap, oltp } from '../../dist/dialect/index.js'
import { Model, type Outcome } from './model.js'
import {
  createSql,
  type Operation,
  type Row,
  type Schema,
  type Statement,
  type Step,
  tableKinds,
  tableNames,
} from './operation.js'
import { type Db, type Rows, statementQuery } from './statement-query.js'

/** The life is not what the model says it must be. */
export class Deviation extends Error {}

/** A database that lives through operations, and the model that says what it must be. */
export class Life {
  readonly model = new Model()
  readonly #folder: string
  #path: string
  #db: Db
  #foreign: Database.Database
  #number = 0
  duckDbAnswers = 0
  /** Why SQLite had to answer a comparison, and how often. */
  readonly kept: Record<string, number> = {}
  /** Statements that were executed. */
  statements = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.#path = this.#nextPath()
    this.#db = this.#open()
    this.#foreign = this.#openForeign()
  }

  static async begin(folder: string): Promise<Life> {
    const life = new Life(folder)
    for (const name of tableNames) {
      await sql.raw(createSql[name]).execute(life.#db)
    }
    return life
  }

  async end(): Promise<void> {
    this.#foreign.close()
    await this.#db.destroy()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** @throws Deviation */
  async run(operation: Operation): Promise<void> {
    if (!this.model.accepts(operation)) {
      return
    }
    switch (operation.do) {
      case 'transaction':
        return this.#transaction(operation.steps, operation.commit)
      case 'foreign':
        return this.#foreignStatement(operation.statement)
      case 'compare':
        return this.#compare()
      case 'pause':
        return new Promise((resolve) => setImmediate(resolve))
      case 'rebuild':
        await htap(this.#db).rebuild(operation.table).catch(expectCode('table-unknown'))
        return
      case 'vacuum':
        await sql`vacuum`.execute(this.#db)
        return
      case 'reopen':
        await this.#db.destroy()
        this.#db = this.#open()
        return
      case 'lose-mirror':
        await this.#db.destroy()
        rmSync(`${this.#path}-htap.duckdb`, { force: true })
        rmSync(`${this.#path}-htap.duckdb.wal`, { force: true })
        this.#db = this.#open()
        return
      case 'crash':
        return this.#crash()
      default:
        return this.#step(this.#db, operation)
    }
  }

  async #transaction(steps: readonly Step[], commit: boolean): Promise<void> {
    const saved = this.model.save()
    const undo = new Error('rolled back on purpose')
    try {
      await this.#db.transaction().execute(async (trx) => {
        for (const step of steps) {
          await this.#step(trx, step)
        }
        if (!commit) {
          throw undo
        }
      })
    } catch (error) {
      this.model.restore(saved)
      if (error !== undo) {
        throw error
      }
    }
  }

  async #step(db: Db, step: Step): Promise<void> {
    if (!this.model.accepts(step)) {
      return
    }
    switch (step.do) {
      case 'insert':
      case 'update':
      case 'delete': {
        this.statements++
        const saved = this.model.save()
        const outcome = this.model.statement(step)
        if (outcome !== 'skipped') {
          expectOutcome(step, outcome, await outcomeOf(() => statementQuery(db, step).execute()))
        } else {
          this.model.restore(saved)
        }
        return
      }
      case 'savepoint': {
        const saved = this.model.save()
        await sql`savepoint s`.execute(db)
        for (const inner of step.steps) {
          await this.#step(db, inner)
        }
        if (!step.keep) {
          await sql`rollback to s`.execute(db)
          this.model.restore(saved)
        }
        await sql`release s`.execute(db)
        return
      }
      default:
        return this.#schema(db, step)
    }
  }

  async #schema(db: Db, step: Schema): Promise<void> {
    const { table } = step
    const last = this.model.added(table).at(-1) ?? ''
    const hasIndex = this.model.hasIndex(table)
    this.model.schema(step)
    const column = this.model.added(table).at(-1) ?? ''
    const { schema } = db
    switch (step.do) {
      case 'add-column':
        return schema
          .alterTable(table)
          .addColumn(column, sql`blob`, (it) =>
            step.initial === null ? it : it.defaultTo(sql.lit(step.initial)),
          )
          .execute()
      case 'drop-column':
        return schema.alterTable(table).dropColumn(last).execute()
      case 'rename-column':
        return schema.alterTable(table).renameColumn(last, column).execute()
      case 'toggle-index': {
        const name = `index_${table}`
        const columns = tableKinds[table].columns.slice(-1)
        return hasIndex
          ? schema.dropIndex(name).execute()
          : schema.createIndex(name).on(table).columns(columns).execute()
      }
      case 'recreate':
        await schema.dropTable(table).execute()
        await sql.raw(createSql[table]).execute(db)
    }
  }

  /** By a connection that this package did not open, as a shell or another program does. */
  async #foreignStatement(statement: Statement): Promise<void> {
    const outcome = this.model.statement(statement)
    if (outcome === 'skipped') {
      return
    }
    const query: CompiledQuery = statementQuery(this.#db, statement).compile()
    expectOutcome(
      statement,
      outcome,
      await outcomeOf(async () => this.#foreign.prepare(query.sql).run(...query.parameters)),
    )
  }

  async #compare(): Promise<void> {
    for (const name of tableNames) {
      const all = this.#db.selectFrom(name).selectAll()
      const expected = canonical(this.model.rows(name), this.model.columns(name))
      const stored = canonical((await oltp(all).execute()) as Row[], this.model.columns(name))
      expectEqual(stored, expected, `SQLite's rows of ${name}`)
      const mirrored = canonical(await this.#ask(all), this.model.columns(name))
      expectEqual(mirrored, expected, `the mirror's rows of ${name}`)
    }
    const sums = this.#db
      .selectFrom('keyed')
      .leftJoin('nameless', 'nameless.k', 'keyed.k')
      .select((eb) => [
        'n',
        eb.fn.countAll().as('c'),
        eb.fn.sum('x').as('s'),
        eb.fn.max('p').as('p'),
      ])
      .groupBy('n')
      .orderBy('n')
    expectEqual(
      JSON.stringify(await this.#ask(sums)),
      JSON.stringify(await oltp(sums).execute()),
      'the answer of a join',
    )
  }

  /** By DuckDB wherever it may answer; a table that waits for another copy leaves it to SQLite. */
  async #ask(query: SelectQueryBuilder<Rows, string, unknown>): Promise<Row[]> {
    try {
      const rows = await olap(query).execute()
      this.duckDbAnswers++
      return rows as Row[]
    } catch (error) {
      const { code, facts } = error as HtapError
      if (code !== 'route-impossible') {
        throw error
      }
      const reason = String(facts['reason'])
      this.kept[reason] = (this.kept[reason] ?? 0) + 1
      return (await query.execute()) as Row[]
    }
  }

  /**
   * The files as they are at this instant, copied within one turn of the event loop: what a killed
   * process leaves behind. Life goes on with the copy.
   */
  async #crash(): Promise<void> {
    const path = this.#nextPath()
    for (const end of ['', '-wal', '-htap.duckdb', '-htap.duckdb.wal']) {
      if (existsSync(this.#path + end)) {
        copyFileSync(this.#path + end, path + end)
      }
    }
    this.#foreign.close()
    await this.#db.destroy()
    this.#path = path
    this.#db = this.#open()
    this.#foreign = this.#openForeign()
  }

  #open(): Db {
    return new Kysely<Rows>({
      dialect: new HtapDialect({
        database: this.#path,
        routing: 'duckdb',
        olap: { threads: 1 },
      }),
    })
  }

  #openForeign(): Database.Database {
    const database = new Database(this.#path)
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = off')
    return database
  }

  #nextPath(): string {
    this.#number++
    const folder = join(this.#folder, String(this.#number))
    mkdirSync(folder, { recursive: true })
    return join(folder, 'life.db')
  }
}

async function outcomeOf(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    await run()
    return 'done'
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT')) {
      return 'conflict'
    }
    throw error
  }
}

function expectOutcome(statement: Statement, expected: Outcome, actual: Outcome): void {
  if (actual !== expected) {
    throw new Deviation(`${JSON.stringify(statement)} ended as ${actual}, expected ${expected}`)
  }
}

function expectCode(code: string): (error: { code?: string }) => void {
  return (error) => {
    if (error.code !== code) {
      throw error
    }
  }
}

function expectEqual(actual: string, expected: string, what: string): void {
  if (actual !== expected) {
    throw new Deviation(`${what}:\n  are ${actual}\n  must be ${expected}`)
  }
}

function canonical(rows: readonly Row[], columns: readonly string[]): string {
  return rows
    .map((row) =>
      JSON.stringify(columns.map((column) => (column in row ? row[column] : 'no such column'))),
    )
    .sort()
    .join(' ')
}
