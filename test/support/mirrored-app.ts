import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type CompiledQuery, Kysely, SqliteDialect, sql } from 'kysely'
import { expect, onTestFinished } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  htap,
  type RouteEvent,
  type VerifyReport,
} from '../../dist/dialect/index.js'
import { tempFolder } from './temp-folder.js'

// biome-ignore lint/suspicious/noExplicitAny: tables come and go in these tests
type AnyDatabase = any

interface MirroredAppOptions {
  readonly path?: string
  readonly config?: Partial<HtapDialectConfig>
}

/** What a query answered: its rows, or the error. */
type Answer = readonly unknown[] | string

/**
 * An application on this dialect that sends to DuckDB whatever may go there, beside a stock
 * connection on the same file that tells what is right.
 */
export class MirroredApp {
  readonly path: string
  readonly events: RouteEvent[] = []
  readonly errors: unknown[] = []
  database!: Database.Database
  db!: Kysely<AnyDatabase>
  #stock!: Database.Database
  #stockDb!: Kysely<AnyDatabase>
  readonly #config: Partial<HtapDialectConfig>

  private constructor(path: string, config: Partial<HtapDialectConfig>) {
    this.path = path
    this.#config = config
  }

  /** Creates the database by `setup` unless it is there, and opens the application. */
  static async open(setup: string, options: MirroredAppOptions = {}): Promise<MirroredApp> {
    const app = new MirroredApp(options.path ?? join(tempFolder(), 'app.db'), options.config ?? {})
    app.start()
    app.database.exec(setup)
    onTestFinished(() => app.stop())
    return app
  }

  start(): void {
    this.database = new Database(this.path)
    this.database.pragma('journal_mode = wal')
    this.db = new Kysely({
      dialect: new HtapDialect({
        database: this.database,
        routing: 'duckdb',
        sync: { intervalMs: 5 },
        onRoute: (event) => this.events.push(event),
        ...this.#config,
      }),
    })
    this.#stock = new Database(this.path)
    this.#stockDb = new Kysely({ dialect: new SqliteDialect({ database: this.#stock }) })
  }

  async stop(): Promise<void> {
    await this.db.destroy()
    await this.#stockDb.destroy()
  }

  /** How many queries DuckDB has answered so far. */
  get routed(): number {
    return this.events.filter((event) => event.engine === 'duckdb').length
  }

  ask(text: string): Promise<Answer> {
    return answer(this.db, text)
  }

  askStock(text: string): Promise<Answer> {
    return answer(this.#stockDb, text)
  }

  /** Nothing else writes meanwhile, so the answers must be the same. */
  async expectSame(queries: readonly string[], when: string): Promise<void> {
    for (const text of queries) {
      const given = await this.ask(text)
      const right = await this.askStock(text)
      expect({ when, text, rows: given }).toEqual({ when, text, rows: right })
    }
  }

  /** Makes a change while queries run: each must answer as before it or as after it. */
  async changeBeside(
    queries: readonly string[],
    when: string,
    change: () => void | Promise<void>,
  ): Promise<void> {
    const before = await Promise.all(queries.map((text) => this.askStock(text)))
    const running = queries.map((text) => this.ask(text))
    await change()
    const given = await Promise.all(running)
    const after = await Promise.all(queries.map((text) => this.askStock(text)))
    for (const [index, text] of queries.entries()) {
      const isRight = [before[index], after[index]].some((it) => same(it, given[index]))
      const report = { when, text, given: given[index], before: before[index], after: after[index] }
      expect(isRight, JSON.stringify(report, printable)).toBe(true)
    }
  }

  /** Waits until DuckDB answers a query again. */
  async untilRouted(text: string): Promise<void> {
    const deadline = Date.now() + 20_000
    for (let before = this.routed; this.routed === before; ) {
      await this.ask(text)
      if (Date.now() > deadline) {
        const status = JSON.stringify(await htap(this.db).status(), printable)
        throw new Error(`${text} stays on SQLite: ${this.events.at(-1)?.reason} ${status}`)
      }
    }
  }

  /** What a comparison of all copies finds, as soon as there is a mirror again. */
  async verify(): Promise<VerifyReport> {
    const deadline = Date.now() + 20_000
    for (;;) {
      try {
        return await htap(this.db).verify()
      } catch (error) {
        const isAway = (error as { code?: string }).code === 'mirror-unavailable'
        if (!isAway || Date.now() > deadline) {
          throw error
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  /** The copies of exactly these tables are there and hold what SQLite holds. */
  async expectEqual(...tables: readonly string[]): Promise<void> {
    const deadline = Date.now() + 20_000
    for (;;) {
      const report = await this.verify()
      expect(report, JSON.stringify(report, printable)).toMatchObject({ equal: true })
      const names = report.tables.map((it) => it.table).sort()
      if (same(names, [...tables].sort())) {
        return
      }
      if (Date.now() > deadline) {
        const status = JSON.stringify((await htap(this.db).status()).tables, printable)
        throw new Error(`copies of ${names.join(', ')}: ${status}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** No query failed on its way to DuckDB, and no background work failed. */
  async expectHealthy(): Promise<void> {
    const status = await htap(this.db).status()
    expect({ state: status.state, lastError: status.lastError }).toEqual({
      state: 'ready',
      lastError: null,
    })
  }
}

async function answer(db: Kysely<AnyDatabase>, text: string): Promise<Answer> {
  try {
    const query: CompiledQuery = sql.raw(text).compile(db)
    return (await db.executeQuery(query)).rows
  } catch (error) {
    return String(error)
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, printable) === JSON.stringify(b, printable)
}

function printable(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
