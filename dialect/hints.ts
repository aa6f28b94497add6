import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely'
import type { Consistency } from './htap-dialect-config.js'

/** What a query or an instance asks for by name. */
export interface QueryHint {
  /** 'duckdb' or an error; 'sqlite' always works. */
  readonly engine?: 'duckdb' | 'sqlite'
  readonly consistency?: Consistency
}

/** Anything that Kysely lets plugins join: an instance, a transaction or a query builder. */
export interface Pluggable<T> {
  withPlugin(plugin: KyselyPlugin): T
}

/**
 * Sends a query, or every read of an instance, to DuckDB whatever it costs.
 *
 * A query that DuckDB is not proven to answer as SQLite does, or whose tables are not copied
 * yet, throws an `HtapError` with the code `route-impossible` that names the reason.
 *
 * ### Examples
 *
 * ```ts
 * const totals = await olap(
 *   db.selectFrom('sale').select((eb) => eb.fn.sum('amount').as('total')),
 *   { consistency: { maxStalenessMs: 500 } },
 * ).execute()
 * ```
 */
export function olap<T>(target: Pluggable<T>, options: { consistency?: Consistency } = {}): T {
  return target.withPlugin(new HintPlugin({ engine: 'duckdb', ...options }))
}

/**
 * Keeps a query, or every read of an instance, on SQLite.
 *
 * ### Examples
 *
 * ```ts
 * await oltp(db.selectFrom('person').select((eb) => eb.fn.countAll().as('n'))).execute()
 * ```
 */
export function oltp<T>(target: Pluggable<T>): T {
  return target.withPlugin(new HintPlugin({ engine: 'sqlite' }))
}

/**
 * Sets what a query, or every read of an instance, must see; which engine answers stays open.
 *
 * ### Examples
 *
 * ```ts
 * const relaxed = withConsistency(db, 'latest')
 * ```
 */
export function withConsistency<T>(target: Pluggable<T>, consistency: Consistency): T {
  return target.withPlugin(new HintPlugin({ consistency }))
}

/** The hint of a query, by the identity that Kysely carries from the plugin to the driver. */
export function hintOf(queryId: object): QueryHint | undefined {
  return hints.get(queryId)
}

/** Survives later plugins, which may clone the tree but not the identity of the query. */
const hints = new WeakMap<object, QueryHint>()

class HintPlugin implements KyselyPlugin {
  readonly #hint: QueryHint

  constructor(hint: QueryHint) {
    this.#hint = Object.freeze(hint)
  }

  transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    // The innermost plugin runs last, so an earlier hint of the same query gives way field by field.
    hints.set(args.queryId, Object.freeze({ ...hints.get(args.queryId), ...this.#hint }))
    return args.node
  }

  async transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return args.result
  }
}
