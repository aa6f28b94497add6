import type { AnalyticsFactory } from '../analytics.js'
import { shareEngine } from '../engine-registry.js'
import { TemporalRouter } from '../temporal/temporal-router.js'
import { QueryRouter } from './query-router.js'

/** The router of a driver that has just connected; null where there can be no copy. */
export const createRouter: AnalyticsFactory = async (host) => {
  const shared = await shareEngine(host)
  if (shared === null) {
    return null
  }
  const { engine, history, release } = shared
  return history === null
    ? new QueryRouter(host, engine, release)
    : new TemporalRouter(host, engine, history, release)
}
