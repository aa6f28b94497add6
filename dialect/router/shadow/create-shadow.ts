import type { SyncEngine } from '../../../sync/sync-engine.js'
import type { AnalyticsHost } from '../../analytics.js'
import type { QueryHint } from '../../hints.js'
import type { CandidateFinder } from '../candidate-finder.js'
import type { QueryShapes } from '../query-shape.js'
import type { RouteLog } from '../route-log.js'
import { Shadow } from './shadow.js'

/** What a router has for its shadow. */
export interface ShadowHost {
  readonly host: AnalyticsHost
  readonly engine: SyncEngine
  readonly finder: CandidateFinder
  readonly shapes: QueryShapes
  readonly log: RouteLog
}

/** Whatever it costs: a query that the cost sends to SQLite by now has still been answered. */
const onDuckDb: QueryHint = Object.freeze({ engine: 'duckdb' })

/** Null where shadow mode was not asked for. */
export function createShadow({ host, engine, finder, shapes, log }: ShadowHost): Shadow | null {
  const config = host.config.shadow
  return config === undefined
    ? null
    : new Shadow({
        config,
        writer: host.writer,
        engine,
        find: (query) => finder.find(query, shapes.of(query), onDuckDb, 'explain'),
        isCurrent: (found) => finder.isCurrent(found),
        onError: (error) => {
          log.lastError = error
        },
      })
}
