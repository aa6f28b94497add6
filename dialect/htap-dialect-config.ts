import type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
import type { SetAsideReport } from '../sync/mirror-file.js'
import type { CopyProgress } from '../sync/sync-options.js'
import type { HtapShadowConfig } from './htap-shadow-config.js'

export type { CopyProgress, SetAsideReport }

/** Config for the HTAP dialect. */
export interface HtapDialectConfig {
  /**
   * The SQLite database: a better-sqlite3 `Database`, the path of a file, or a factory of a
   * `Database` that is called once, when the first query is executed.
   *
   * An instance keeps all its settings. A file opened by path gets WAL, `synchronous=NORMAL`
   * and `busy_timeout=5000`, see `pragmas`.
   */
  readonly database: SqliteDatabase | string | (() => SqliteDatabase | Promise<SqliteDatabase>)

  /** Settings of a database opened by path. */
  readonly pragmas?: {
    /** @default 'wal' */
    readonly journalMode?: 'wal' | 'delete' | 'truncate' | 'persist' | 'memory' | 'off'
    /** @default 'normal' */
    readonly synchronous?: 'off' | 'normal' | 'full' | 'extra'
    /** @default 5000 */
    readonly busyTimeoutMs?: number
  }

  /** The columnar copy in DuckDB. */
  readonly olap?: {
    /**
     * Where the copy lives: a file of its own, which is replaced when it cannot be used.
     *
     * @default the database's path with `-htap.duckdb` added; `':memory:'` for a database in memory
     */
    readonly path?: string
    /**
     * While another process or thread keeps the copy at that path: `'sqlite'` leaves this one to
     * SQLite until that one ends, `'memory'` gives it a copy of its own in memory.
     *
     * @default 'sqlite'
     */
    readonly whenLocked?: 'sqlite' | 'memory'
    /** @default '512MB' */
    readonly memoryLimit?: string
    /** @default the number of processors, at most 4 */
    readonly threads?: number
  }

  /** How the copy is kept fresh; `false` for tools that only migrate. */
  readonly sync?: HtapSyncConfig | false

  /** @default 'strong' */
  readonly consistency?: Consistency

  /**
   * 'auto' weighs the cost of both engines, 'duckdb' sends every query that is proven equal,
   * 'sqlite' switches DuckDB off.
   *
   * @default 'auto'
   */
  readonly routing?: Routing

  /**
   * Shadow mode: a share of the reads that DuckDB answered runs again on SQLite at the same
   * position, and the answers are compared.
   *
   * @default none
   */
  readonly shadow?: HtapShadowConfig

  /** Called once for every connection to SQLite that executes queries, right after it was opened. */
  readonly onCreateConnection?: (database: SqliteDatabase) => void | Promise<void>

  /** Sees every decision, after the query was answered. */
  readonly onRoute?: (event: RouteEvent) => void
}

export type SyncMode = 'mirror' | 'temporal'

/** The history of temporal tables. */
export interface HtapHistoryConfig {
  /**
   * A file of its own. Unlike the copy it is not disposable.
   *
   * @default the database's path with `-htap-history` added
   */
  readonly path?: string
  /** The columns that `history()` adds to every table. A table that has one of them is refused. */
  readonly columns?: Partial<PeriodColumns>
}

/** What the columns are called that tell when a version held, and what made it. */
export interface PeriodColumns {
  /** @default 'valid_from' */
  readonly validFrom: string
  /** @default 'valid_to' */
  readonly validTo: string
  /** @default 'operation' */
  readonly operation: string
  /** @default 'position' */
  readonly position: string
}

export interface HtapSyncConfig {
  /**
   * 'temporal' keeps the full history of tables beside the copy: every version of every row, from now
   * on, in a file of its own. See `asOf` and `history`.
   *
   * @default 'mirror'
   */
  readonly mode?: SyncMode
  /**
   * 'auto' copies a table when an analytic query first needs it; a list copies just these,
   * at once. Names with a mode each keep the history of some tables only, or of all but some.
   *
   * @default 'auto'
   */
  readonly tables?:
    | 'auto'
    | readonly string[]
    | Readonly<Record<string, { readonly mode: SyncMode }>>
  /** Where and under which names the history of temporal tables is kept. */
  readonly history?: HtapHistoryConfig
  /** How often commits of other processes are looked for, in milliseconds. @default 25 */
  readonly intervalMs?: number
  /** How long a query waits for freshness before SQLite answers it, in milliseconds. @default 1000 */
  readonly waitTimeoutMs?: number
  /**
   * Rows that the change log may have. A copy that is further behind, or one of a process that is
   * gone, no longer keeps them: it is made anew.
   *
   * @default 10000000
   */
  readonly logRowsMax?: number
  /** Is told when the copy's file could not be used and a new one was begun. */
  readonly onSetAside?: (report: SetAsideReport) => void
  /** Progress of first copies. */
  readonly onProgress?: (progress: CopyProgress) => void
}

/**
 * What a query answered by DuckDB must see.
 *
 * - `'strong'`: everything that was committed before the query began, by whomever
 * - `'session'`: everything that this Kysely instance has committed
 * - `{ maxStalenessMs }`: nothing older than that
 * - `'latest'`: whatever is applied, without waiting
 */
export type Consistency = 'strong' | 'session' | 'latest' | { readonly maxStalenessMs: number }

export type Routing = 'auto' | 'duckdb' | 'sqlite'

/** Where a query ran and why. */
export interface RouteEvent {
  readonly engine: 'sqlite' | 'duckdb'
  /** Short and stable, to be counted. */
  readonly reason: string
  readonly sql: string
  /** What ran in DuckDB instead of `sql`; null where SQLite answered. */
  readonly duckdbSql: string | null
  readonly durationMs: number
  /** How long the query waited for the copy to become fresh enough. */
  readonly waitMs: number
  /** Changes that were committed but not applied when the query ran; null where unknown. */
  readonly lagChanges: number | null
  /** Estimated cost in either engine, where it was weighed. */
  readonly estimate: { readonly sqliteMs: number; readonly duckdbMs: number } | null
}
