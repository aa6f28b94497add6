import type { Table as ArrowTable } from 'apache-arrow'
import type { CompiledQuery, Kysely } from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import type { ErasedKeys } from '../sync/history/erase-keys.js'
import { findKeys } from '../sync/history/find-keys.js'
import type { RetentionProps } from '../sync/history/retention.js'
import type { VerifyReport } from '../sync/verify.js'
import { HtapAdapter } from './htap-adapter.js'
import type { HtapDriver } from './htap-driver.js'
import { type HtapStatus, readStatus } from './htap-status.js'
import { callMirror } from './mirror-call.js'
import { QueryRouter } from './router/query-router.js'
import type { RouteExplanation } from './router/route-explanation.js'
import { findHistoryTable } from './temporal/find-history-table.js'
import { callHistory } from './temporal/history-call.js'
import { pastQueryOf } from './temporal/past-query.js'
import { temporalRouter } from './temporal/temporal-instance.js'

/** A query that can be compiled: a query builder. */
export interface Compilable {
  compile(): CompiledQuery
}

/** What a retention takes, or has taken, from the history of one table. */
export interface TableRetention {
  readonly table: string
  readonly versions: number
  /** About what their values take on disk, without indexes. */
  readonly bytes: number
  /** The position from which on the history is whole then, and its instant; null where there is none. */
  readonly begins: number | null
  readonly instant: number | null
}

/** What a Kysely instance with this dialect can do beyond queries. */
export interface HtapHandle {
  /** How the copy and the routes stand; works before the first query and after `destroy()`. */
  status(): Promise<HtapStatus>
  /** Applies everything that is committed now. */
  syncNow(): Promise<void>
  /**
   * Moves everything that is committed now into the history, which happens by itself some time after
   * each commit; returns its newest position and instant.
   *
   * @throws HtapError `history-missing` without temporal mode, `history-failed`
   */
  settleHistory(): Promise<{ readonly position: number; readonly instant: number }>
  /**
   * Gives up versions that are too old, or too many of one row; never the row that is there now. With
   * `dryRun` it only says what would go.
   *
   * @throws HtapError `history-missing`, `history-failed`, `config-invalid`, `table-unknown`
   */
  retainHistory(
    retention: RetentionProps & { readonly dryRun?: boolean },
  ): Promise<readonly TableRetention[]>
  /**
   * Erases rows from all history: those that ever held the values of `where` (give the primary key). What
   * is there now stays, and its history begins anew. See the documentation for what cannot be erased.
   *
   * @throws HtapError `history-missing`, `history-failed`, `config-invalid`, `wait-timeout`
   */
  eraseHistory(
    table: string,
    where: Readonly<Record<string, unknown>>,
  ): Promise<Pick<ErasedKeys, 'versions' | 'begunAnew' | 'isInLog'>>
  /** Compares the copies with SQLite, each at one position, by row count and checksum. */
  verify(options?: { readonly tables?: readonly string[] }): Promise<VerifyReport>
  /** Copies a table anew; the old copy serves until the new one is complete. */
  rebuild(table: string): Promise<void>
  /** Where a query would run now and why, without running it. */
  explain(query: Compilable): Promise<RouteExplanation>
  /** The rows of a query as an Arrow table, without row objects; only from DuckDB. */
  arrow(query: Compilable): Promise<ArrowTable>
}

/**
 * The HTAP side of a Kysely instance.
 *
 * ### Examples
 *
 * ```ts
 * const { tables } = await htap(db).status()
 * const { engine, reason } = await htap(db).explain(db.selectFrom('sale').selectAll())
 * ```
 *
 * @throws HtapError `config-invalid` when the instance has another dialect
 */
// biome-ignore lint/suspicious/noExplicitAny: any schema will do, and Kysely's is invariant
export function htap(db: Kysely<any>): HtapHandle {
  const { adapter } = db.getExecutor()
  if (!(adapter instanceof HtapAdapter) || adapter.driver === null) {
    throw new HtapError('config-invalid', 'this Kysely instance has another dialect', {
      hint: 'create it with `new HtapDialect(...)`',
    })
  }
  const { driver } = adapter
  const router = () => connect(db, driver)
  const temporal = async () => (await temporalRouter(db)).history
  return Object.freeze({
    status: () => readStatus(driver),
    syncNow: async () => {
      const { engine } = await router()
      return callMirror('the sync', () => engine.syncNow())
    },
    settleHistory: async () => {
      const history = await temporal()
      return callHistory(async () => {
        await history.moveNow()
        const { position, instant } = history.state
        return { position, instant }
      })
    },
    retainHistory: async ({ dryRun = false, ...retention }) => {
      const history = await temporal()
      const report = await callHistory(() => history.retain(retention, dryRun))
      return report.tables.map(({ table, ...rest }) => ({ table: table.name, ...rest }))
    },
    eraseHistory: async (table, where) => {
      const history = await temporal()
      return callHistory(async () => {
        await history.moveNow()
        const found = findHistoryTable(history.file, table)
        const keys = findKeys(history.file, found, where)
        const { versions, begunAnew, isInLog } = await history.erase(found, keys)
        return { versions, begunAnew, isInLog }
      })
    },
    verify: async (options) => {
      const { engine } = await router()
      return callMirror('the comparison', () => engine.verify(options?.tables))
    },
    rebuild: async (table) => {
      const { engine } = await router()
      return callMirror(`the copy of ${table}`, () => engine.rebuild(table))
    },
    explain: async (query) => {
      const compiled = query.compile()
      const past = pastQueryOf(compiled.sql)
      if (past === null) {
        return (await router()).explain(compiled)
      }
      return (await temporalRouter(db)).explainPast(compiled, past)
    },
    arrow: async (query) => {
      const compiled = query.compile()
      if (pastQueryOf(compiled.sql) !== null) {
        throw new HtapError('route-impossible', 'a query of the past gives no Arrow table')
      }
      return (await router()).arrow(compiled)
    },
  } satisfies HtapHandle)
}

/** Kysely connects with the first query; these calls may come before it. */
// biome-ignore lint/suspicious/noExplicitAny: see above
async function connect(db: Kysely<any>, driver: HtapDriver): Promise<QueryRouter> {
  await db.connection().execute(async () => undefined)
  const router = driver.analytics
  if (!(router instanceof QueryRouter)) {
    throw new HtapError('mirror-unavailable', 'this instance keeps no copy', {
      hint: '`sync: false` was given or the database is read-only',
    })
  }
  return router
}
