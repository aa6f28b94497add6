import type { AnalyticsFactory } from '../analytics.js'
import { shareEngine } from '../engine-registry.js'
import { QueryRouter } from './query-router.js'

/** The router of a driver that has just connected; null where there can be no copy. */
export const createRouter: AnalyticsFactory = async (host) => {
  const shared = await shareEngine(host)
  return shared === null ? null : new QueryRouter(host, shared.engine, shared.release)
}
