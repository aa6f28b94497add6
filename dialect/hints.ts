import {
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  RawNode,
  type RootOperationNode,
  SelectModifierNode,
  type UnknownRow,
} from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import type { Consistency } from './htap-dialect-config.js'

/** What a query or an instance asks for by name. */
export interface QueryHint {
  /** 'duckdb' or an error; 'sqlite' always works. */
  readonly engine?: 'duckdb' | 'sqlite'
  readonly consistency?: Consistency
  /** The moment that `asOf` was given, encoded. */
  readonly asOf?: string
  /** The versions that `history` was asked for, encoded. */
  readonly versions?: string
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

/** The hint that a query's text carries at its end. */
export function hintOf(sql: string): QueryHint | undefined {
  if (!sql.endsWith(commentEnd)) {
    return undefined
  }
  let hint: QueryHint | undefined
  // Hints of instances stand before those of their queries, which say it more precisely.
  for (const [, text] of sql.slice(-hintLengthMax).matchAll(commentPattern)) {
    hint = { ...hint, ...parseHint(text ?? '') }
  }
  return hint
}

/**
 * The text that the application's query has without its hints. SQLite must not see them: it names a column
 * without an alias by what is written there, comments included.
 */
export function withoutHints(sql: string): string {
  return sql.endsWith(commentEnd) ? sql.replace(commentPattern, '').trimEnd() : sql
}

const commentEnd = ' */'
const commentPattern = /\/\* htap ([\w.= -]*) \*\//g
const hintLengthMax = 400

/**
 * Writes the hint into the query's text, as a comment that every engine skips. Unlike a note kept
 * beside the query it survives plugins that copy the tree, and never sticks to the builder that
 * the hinted one was made from.
 */
export class HintPlugin implements KyselyPlugin {
  readonly #comment: string
  readonly #isOfPast: boolean

  constructor(hint: QueryHint) {
    this.#isOfPast = hint.asOf !== undefined || hint.versions !== undefined
    const words: string[] = []
    if (hint.engine !== undefined) {
      words.push(`engine=${hint.engine}`)
    }
    if (typeof hint.consistency === 'object') {
      words.push(`staleness=${Number(hint.consistency.maxStalenessMs)}`)
    } else if (hint.consistency !== undefined) {
      words.push(`consistency=${hint.consistency}`)
    }
    if (hint.asOf !== undefined) {
      words.push(`asof=${hint.asOf}`)
    }
    if (hint.versions !== undefined) {
      words.push(`versions=${hint.versions}`)
    }
    this.#comment = `/* htap ${words.join(' ')}${commentEnd}`
  }

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    if (node.kind === 'SelectQueryNode') {
      const modifier = SelectModifierNode.createWithExpression(RawNode.createWithSql(this.#comment))
      return { ...node, endModifiers: [...(node.endModifiers ?? []), modifier] }
    }
    if (node.kind === 'RawNode') {
      const last = node.sqlFragments.length - 1
      const sqlFragments = node.sqlFragments.map((fragment, index) =>
        index === last ? `${fragment} ${this.#comment}` : fragment,
      )
      return { ...node, sqlFragments }
    }
    if (this.#isOfPast) {
      throw new HtapError('read-only-violation', 'the past cannot be written', {
        hint: 'use the instance itself for writes, not what asOf() or history() return',
      })
    }
    // Anything else is a write, and writes have no choice of engine.
    return node
  }

  async transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return args.result
  }
}

function parseHint(text: string): QueryHint {
  const hint: { -readonly [K in keyof QueryHint]: QueryHint[K] } = {}
  for (const word of text.split(' ')) {
    const [name, value = ''] = word.split('=')
    if (name === 'engine' && (value === 'duckdb' || value === 'sqlite')) {
      hint.engine = value
    } else if (name === 'asof') {
      hint.asOf = value
    } else if (name === 'versions') {
      hint.versions = value
    } else if (name === 'staleness' && Number(value) >= 0) {
      hint.consistency = { maxStalenessMs: Number(value) }
    } else if (
      name === 'consistency' &&
      (value === 'strong' || value === 'session' || value === 'latest')
    ) {
      hint.consistency = value
    }
  }
  return hint
}
