import { deepStrictEqual } from 'node:assert'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { CompiledQuery, Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  htap,
  type RouteEvent,
} from '../../dist/dialect/index.js'
import { tempFolder } from '../support/temp-folder.js'

/** A moment of a database, and a SQLite database that was frozen then. */
export interface Frozen {
  readonly position: number
  /** Microseconds since 1970. */
  readonly instant: number
  readonly database: Database.Database
}

/** An application in temporal mode that can freeze its database, and compare the past with that. */
export class PastApp {
  readonly path: string
  readonly events: RouteEvent[] = []
  database!: Database.Database
  // biome-ignore lint/suspicious/noExplicitAny: tables come and go in these tests
  db!: Kysely<any>
  readonly #config: Partial<HtapDialectConfig>

  private constructor(path: string, config: Partial<HtapDialectConfig>) {
    this.path = path
    this.#config = config
  }

  static async open(
    prepare: (database: Database.Database) => void,
    config: Partial<HtapDialectConfig> = {},
  ): Promise<PastApp> {
    const app = new PastApp(join(tempFolder(), 'past.db'), config)
    const database = new Database(app.path)
    database.pragma('journal_mode = wal')
    prepare(database)
    database.close()
    app.start()
    await app.settle()
    onTestFinished(() => app.stop())
    return app
  }

  start(): void {
    this.database = new Database(this.path)
    this.db = new Kysely({
      dialect: new HtapDialect({
        database: this.database,
        sync: { mode: 'temporal', intervalMs: 5 },
        onRoute: (event) => this.events.push(event),
        ...this.#config,
      }),
    })
  }

  async stop(): Promise<void> {
    await this.db.destroy()
  }

  /** A connection that knows nothing of us. */
  open(): Database.Database {
    return new Database(this.path)
  }

  settle() {
    return htap(this.db).settleHistory()
  }

  /** Runs statements one by one, as the application would; their errors are its own. */
  async run(...statements: readonly string[]): Promise<void> {
    await this.db.connection().execute(async (connection) => {
      for (const sql of statements) {
        await connection.executeQuery(CompiledQuery.raw(sql))
      }
    })
  }

  /** The database as it is now, and what moment that is. */
  async freeze(): Promise<Frozen> {
    const moment = await this.settle()
    const bytes = this.database.serialize()
    // A database in memory cannot be in WAL mode.
    bytes[18] = 1
    bytes[19] = 1
    return { ...moment, database: new Database(bytes) }
  }

  /** What a query gives at a moment, its error instead. */
  async ask(moment: string, sql: string, parameters: readonly unknown[] = []): Promise<unknown> {
    try {
      const hinted = CompiledQuery.raw(`${sql} /* htap asof=${moment} */`, [...parameters])
      return (await this.db.executeQuery(hinted)).rows
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Null where the past is what the frozen database says; else what differs. */
  async difference(
    frozen: Frozen,
    sql: string,
    parameters: readonly unknown[] = [],
    moment = `p${frozen.position}`,
  ): Promise<string | null> {
    const expected = answer(frozen.database, sql, parameters)
    const actual = await this.ask(moment, sql, parameters)
    try {
      deepStrictEqual(actual, expected)
      return null
    } catch (error) {
      return `${sql} ${parameters.map(String).join(', ')} at ${moment}, ${JSON.stringify(this.events.at(-1))}\n${(error as Error).message}`
    }
  }
}

function answer(database: Database.Database, sql: string, parameters: readonly unknown[]): unknown {
  try {
    return database.prepare(sql).all(...parameters)
  } catch (error) {
    return (error as Error).message
  }
}
