import type { Kysely } from 'kysely'
import type { SyncEngine } from '../../dist/sync/sync-engine.js'

/** The engine behind an instance; what a user cannot reach. */
export function engineOf<DB>(db: Kysely<DB>): SyncEngine {
  const { adapter } = db.getExecutor() as unknown as {
    readonly adapter: { readonly driver: { readonly analytics: { readonly engine: SyncEngine } } }
  }
  return adapter.driver.analytics.engine
}
