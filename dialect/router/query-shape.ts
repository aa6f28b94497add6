import type { RootOperationNode } from 'kysely'
import { limits } from '../../src/core/limits.js'
import { type ParsedStatement, parseSelect } from '../translate/parse/parse-select.js'
import { BoundedMap } from './bounded-map.js'

/** What the text of a query says, before any engine is asked. */
export type QueryShape =
  | { readonly kind: 'plain' }
  | { readonly kind: 'not-understood'; readonly reason: string }
  | { readonly kind: 'analytic'; readonly parsed: Extract<ParsedStatement, { kind: 'select' }> }

const plain: QueryShape = Object.freeze({ kind: 'plain' })

/**
 * Tells analytic queries from all others. The usual query is answered by one look into a map
 * of SQL texts; a new text costs a walk over Kysely's tree, and is parsed only if that may hide
 * something analytic.
 */
export class QueryShapes {
  readonly #shapes = new BoundedMap<string, QueryShape>(limits.shapeCacheEntriesMax)

  of(query: { readonly sql: string; readonly query: RootOperationNode }): QueryShape {
    const known = this.#shapes.get(query.sql)
    if (known !== undefined) {
      return known
    }
    const shape = mayBeAnalytic(query.query) ? shapeOfText(query.sql) : plain
    this.#shapes.set(query.sql, shape)
    return shape
  }
}

function shapeOfText(sql: string): QueryShape {
  if (!/^\s*(?:select|with|values|\(|--|\/\*)/i.test(sql)) {
    return plain
  }
  const parsed = parseSelect(sql)
  if (parsed.kind === 'not-understood') {
    return Object.freeze({ kind: 'not-understood', reason: parsed.reason })
  }
  return parsed.summary.analytic ? Object.freeze({ kind: 'analytic', parsed }) : plain
}

const analyticKinds: ReadonlySet<string> = new Set([
  'AggregateFunctionNode',
  'FunctionNode',
  'GroupByNode',
  'HavingNode',
  'JoinNode',
  'RawNode',
  'SetOperationNode',
  'WithNode',
])

/** False only for a statement in which nothing analytic can be. */
function mayBeAnalytic(root: RootOperationNode): boolean {
  if (root.kind === 'RawNode') {
    return true
  }
  if (root.kind !== 'SelectQueryNode') {
    return false
  }
  const { from, frontModifiers, distinctOn } = root
  const isCommaJoin = (from?.froms.length ?? 0) > 1
  const isDistinct = distinctOn !== undefined || (frontModifiers?.length ?? 0) > 0
  return isCommaJoin || isDistinct || hidesAnalytics(root, true)
}

function hidesAnalytics(value: unknown, isRoot: boolean): boolean {
  if (Array.isArray(value)) {
    return value.some((entry) => hidesAnalytics(entry, false))
  }
  if (typeof value !== 'object' || value === null || !('kind' in value)) {
    return false
  }
  const kind = value.kind
  if (typeof kind !== 'string') {
    return false
  }
  if (analyticKinds.has(kind) || (kind === 'SelectQueryNode' && !isRoot)) {
    return true
  }
  // Values can be anything of the user's; nothing in them is a node.
  return (
    kind !== 'ValueNode' &&
    kind !== 'PrimitiveValueListNode' &&
    Object.values(value).some((child) => typeof child === 'object' && hidesAnalytics(child, false))
  )
}
