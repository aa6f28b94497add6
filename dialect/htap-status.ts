import type { TemporalHistory } from '../sync/history/temporal-history.js'
import type { SetAsideReport } from '../sync/mirror-file.js'
import type { EngineState } from '../sync/mirror-holder.js'
import type { SyncEngine } from '../sync/sync-engine.js'
import type { TableState, TrackedTable } from '../sync/tracked-table.js'
import type { HtapDriver } from './htap-driver.js'
import { QueryRouter } from './router/query-router.js'
import type { RouteCounts } from './router/route-counts.js'
import type { ShadowStatus } from './router/shadow/shadow-counter.js'
import { TemporalRouter } from './temporal/temporal-router.js'

/** How a Kysely instance with this dialect stands. */
export interface HtapStatus {
  /**
   * `not-connected` before the first query, `off` without a copy (`sync: false`, read-only), `idle`
   * before the first analytic need, then `opening` and `ready`; `standby` while another process or
   * thread keeps the copy, `failed` while it cannot be opened; `closed` after `destroy()`.
   */
  readonly state: 'not-connected' | 'off' | EngineState
  /** Where the copy lives: its path, or `:memory:`; null when it is not open. */
  readonly path: string | null
  /** The position of the change log up to which the copy equals SQLite. */
  readonly position: number
  /** Changes that are committed and not applied; null where it cannot be told. */
  readonly lagChanges: number | null
  /** How old the state is that the copy shows, in milliseconds; 0 when nothing is pending. */
  readonly lagMs: number | null
  /** The last failure of background work or routing. It changed no answer. */
  readonly lastError: unknown
  /** The copy's file that could not be used last, and where it is kept; null if none. */
  readonly setAside: SetAsideReport | null
  /** Rows that the change log spans; null where it cannot be told. */
  readonly logRows: number | null
  /** Bytes that the copy takes; null when it is not open. */
  readonly sizes: { readonly memoryBytes: number; readonly fileBytes: number } | null
  readonly tables: readonly TableStatus[]
  /** How many queries each engine answered, by reason. */
  readonly routes: RouteCounts
  /**
   * Translation rules that are switched off, because their examples came out differently from the
   * two engines when the mirror was opened: another build or platform. Usually none.
   */
  readonly disabledRules: readonly string[]
  /** What shadow mode has compared; null without it. */
  readonly shadow: ShadowStatus | null
  /** The history of temporal tables; null without temporal mode. */
  readonly history: HistoryStatus | null
}

export interface HistoryStatus {
  readonly path: string
  /** The newest transaction that is in the history. */
  readonly position: number
  /** Its instant, in microseconds since 1970, UTC; 0 before there is one. */
  readonly instant: number
  /** Tables that cannot have a history, and why. */
  readonly refused: readonly { readonly table: string; readonly reason: string }[]
}

export interface TableStatus {
  readonly table: string
  readonly state: TableState
  /** Why it is not live, if it is not. */
  readonly reason: string | null
  /** Rows of the copy; null without one. */
  readonly rows: number | null
  readonly position: number | null
  readonly lagChanges: number | null
  readonly lagMs: number | null
  /** Columns that hold values their storage cannot keep; queries that read them stay on SQLite. */
  readonly unreadableColumns: readonly string[]
  readonly lastError: unknown
}

const noRoutes: RouteCounts = Object.freeze({ sqlite: {}, duckdb: {} })

export async function readStatus(driver: HtapDriver): Promise<HtapStatus> {
  const router = driver.analytics
  if (!(router instanceof QueryRouter)) {
    const state = driver.isClosed ? 'closed' : driver.isConnected ? 'off' : 'not-connected'
    return Object.freeze({
      state,
      path: null,
      position: 0,
      lagChanges: null,
      lagMs: null,
      lastError: null,
      setAside: null,
      logRows: null,
      sizes: null,
      tables: [],
      routes: noRoutes,
      disabledRules: [],
      shadow: null,
      history: null,
    })
  }
  const { engine } = router
  const lag = readLag(engine, driver)
  return Object.freeze({
    state: driver.isClosed ? 'closed' : engine.state,
    path: engine.holder.path,
    position: engine.position,
    ...lag,
    lastError: engine.failure ?? router.log.lastError,
    setAside: engine.holder.setAside,
    logRows: driver.isClosed ? null : orNull(() => engine.logKeeper.rowsNow()),
    sizes: driver.isClosed ? null : ((await engine.store?.sizes().catch(() => null)) ?? null),
    tables: [...engine.tables.byName.values()].map((table) => describe(table, engine, lag)),
    routes: router.log.counts,
    disabledRules: router.disabledRules,
    shadow: router.shadow,
    history: router instanceof TemporalRouter ? describeHistory(router.history) : null,
  })
}

/** Null once it is closed. */
function describeHistory(history: TemporalHistory): HistoryStatus | null {
  return orNull(() => {
    const { position, instant } = history.state
    const refused = [...history.refused].map(([table, reason]) => ({ table, reason }))
    return Object.freeze({ path: history.path, position, instant, refused })
  })
}

interface Lag {
  readonly lagChanges: number | null
  readonly lagMs: number | null
}

function readLag(engine: SyncEngine, driver: HtapDriver): Lag {
  const isReady = !driver.isClosed && engine.state === 'ready'
  const head = isReady ? orNull(() => engine.headNow()) : null
  return head === null
    ? { lagChanges: null, lagMs: null }
    : { lagChanges: Math.max(0, head - engine.position), lagMs: engine.stalenessMs(head) }
}

/** The status is asked for when things go wrong, so nothing that is wrong may keep it from answering. */
function orNull<T>(read: () => T | null): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function describe(table: TrackedTable, engine: SyncEngine, lag: Lag): TableStatus {
  const { live } = table
  return Object.freeze({
    table: table.name,
    state: table.state,
    reason: table.reason,
    rows: live?.rowCount ?? null,
    position: live === null ? null : engine.position,
    lagChanges: live === null ? null : lag.lagChanges,
    lagMs: live === null ? null : lag.lagMs,
    unreadableColumns: live?.misfits ?? [],
    lastError: table.lastError,
  })
}
