import type { CompiledQuery } from 'kysely'
import type { ConnectionTraits } from '../../src/oltp/connection-traits.js'
import type { QueryHint } from '../hints.js'
import { parseSelect } from '../translate/parse/parse-select.js'
import type { StatementSummary } from '../translate/parse/summarise.js'
import { type KeptQuery, kept } from './candidate.js'
import type { QueryShape } from './query-shape.js'

/** A query that DuckDB might answer. */
export type AnalyticShape = Extract<QueryShape, { kind: 'analytic' }>

/** The shape of a query that may go to DuckDB; a hint may also send plain reads there. */
export function understand(
  query: CompiledQuery,
  shape: QueryShape,
  hint: QueryHint | undefined,
): AnalyticShape | KeptQuery {
  if (shape.kind === 'analytic') {
    return shape
  }
  if (hint?.engine !== 'duckdb') {
    return kept(shape.kind === 'plain' ? 'no analytic query' : `not understood: ${shape.reason}`)
  }
  const parsed = parseSelect(query.sql)
  return parsed.kind === 'select'
    ? { kind: 'analytic', parsed }
    : kept(`not understood: ${parsed.reason}`, /^\s*(?:select|with|values)\b/i.test(query.sql))
}

/** What the application did to its connection that makes the query belong to it. */
export function findObstacle(
  shape: AnalyticShape,
  views: readonly StatementSummary[],
  traits: ConnectionTraits,
): string | null {
  const { summary } = shape.parsed
  const all = [summary, ...views]
  if (traits.unusual !== null) {
    return `the connection has ${traits.unusual}`
  }
  if (all.some((part) => part.foreignSchema)) {
    return 'names another schema'
  }
  const temporary = summary.tables.find((table) => traits.tempNames.has(table))
  if (temporary !== undefined) {
    return `${temporary} is temporary`
  }
  for (const name of all.flatMap((part) => [...part.functions])) {
    if (traits.functionNames.has(name)) {
      return `function ${name} is registered by the application`
    }
  }
  if (traits.likeIsCaseSensitive && all.some((part) => part.usesLike)) {
    return 'LIKE is case-sensitive on this connection'
  }
  return null
}
