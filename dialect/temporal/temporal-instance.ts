import type { Kysely } from 'kysely'
import { HtapError } from '../../src/core/htap-error.js'
import { HtapAdapter } from '../htap-adapter.js'
import { noHistory } from './past-query.js'
import { TemporalRouter } from './temporal-router.js'

/**
 * The router of an instance, or of a transaction of it, in temporal mode.
 *
 * @throws HtapError `config-invalid` for another dialect, `history-missing` without temporal mode
 */
// biome-ignore lint/suspicious/noExplicitAny: any schema will do, and Kysely's is invariant
export async function temporalRouter(db: Kysely<any>): Promise<TemporalRouter> {
  const { adapter } = db.getExecutor()
  if (!(adapter instanceof HtapAdapter) || adapter.driver === null) {
    throw new HtapError('config-invalid', 'this Kysely instance has another dialect', {
      hint: 'create it with `new HtapDialect(...)`',
    })
  }
  const { driver } = adapter
  if (!driver.isConnected) {
    // Kysely connects with the first query.
    await db.connection().execute(async () => undefined)
  }
  return driver.analytics instanceof TemporalRouter ? driver.analytics : noHistory()
}
