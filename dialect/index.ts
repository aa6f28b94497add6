/**
 * kysely-htap: a Kysely dialect in which SQLite takes the writes and DuckDB answers the analytics.
 */
export { HtapError, type HtapErrorCode } from '../src/core/htap-error.js'
export type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
export type { RestoredCounts } from '../sync/history/restored-rows.js'
export type { RetentionProps } from '../sync/history/retention.js'
export type { TableState } from '../sync/tracked-table.js'
export type { TableVerification, VerifyReport } from '../sync/verify.js'
export { olap, oltp, type Pluggable, type QueryHint, withConsistency } from './hints.js'
export { type Compilable, type HtapHandle, htap, type TableRetention } from './htap.js'
export { HtapAdapter } from './htap-adapter.js'
export { HtapDialect } from './htap-dialect.js'
export type {
  Consistency,
  CopyProgress,
  HtapDialectConfig,
  HtapHistoryConfig,
  HtapSyncConfig,
  PeriodColumns,
  RouteEvent,
  Routing,
  SetAsideReport,
  SyncMode,
} from './htap-dialect-config.js'
export { HtapDriver } from './htap-driver.js'
export { HtapIntrospector } from './htap-introspector.js'
export type {
  HtapShadowConfig,
  ShadowDifference,
  ShadowMismatch,
} from './htap-shadow-config.js'
export type { HistoryStatus, HtapStatus, TableStatus } from './htap-status.js'
export type { CostEstimate } from './router/cost-estimate.js'
export type { RouteCounts } from './router/route-counts.js'
export type { RouteExplanation } from './router/route-explanation.js'
export type { ShadowStatus } from './router/shadow/shadow-counter.js'
export { asOf, asOfTable } from './temporal/as-of.js'
export {
  type Change,
  type ChangesOptions,
  changes,
  type Difference,
  diff,
} from './temporal/changes.js'
export {
  type HistoryFilter,
  type HistoryOf,
  history,
  type Period,
} from './temporal/history.js'
export type { Moment } from './temporal/moment.js'
export { type RestoreOptions, restoreTable } from './temporal/restore-table.js'
export { type Actor, withActor } from './temporal/with-actor.js'
