/**
 * kysely-htap: a Kysely dialect in which SQLite takes the writes and DuckDB answers the analytics.
 */
export { HtapError, type HtapErrorCode } from '../src/core/htap-error.js'
export type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
export { HtapAdapter } from './htap-adapter.js'
export { HtapDialect } from './htap-dialect.js'
export type {
  Consistency,
  CopyProgress,
  HtapDialectConfig,
  HtapSyncConfig,
  RouteEvent,
  Routing,
} from './htap-dialect-config.js'
export { HtapDriver } from './htap-driver.js'
export { HtapIntrospector } from './htap-introspector.js'
