import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { Pluggable } from '../hints.js'
import { HintPlugin } from '../hints.js'
import { encodeMoment, type Moment, plainMoment } from './moment.js'
import { momentName } from './past-query.js'

/**
 * A view of the whole database as it was at a moment: every table of every query, in joins and
 * subqueries as well, holds the rows that were committed then. Needs temporal mode; see
 * `HtapSyncConfig.mode`. Nothing can be written through it.
 *
 * A moment that is not over yet means now. A table without history is an error, never today's rows.
 *
 * @param target a Kysely instance or a query builder with this dialect
 * @param moment a Date, ISO text (UTC), `{ instant }` in microseconds or `{ position }`
 * @throws HtapError `config-invalid` for a moment that is none; queries throw `history-missing` for
 * tables without history, and `history-incomplete` for moments before it began
 *
 * ### Examples
 *
 * ```ts
 * const then = asOf(db, '2026-01-31T12:00:00Z')
 * const totals = await then
 *   .selectFrom('sale')
 *   .innerJoin('person', 'person.id', 'sale.person_id')
 *   .select(({ fn }) => ['person.name', fn.sum('sale.amount').as('total')])
 *   .groupBy('person.name')
 *   .execute()
 * ```
 */
export function asOf<T>(target: Pluggable<T>, moment: Moment): T {
  return target.withPlugin(new HintPlugin({ asOf: encodeMoment(plainMoment(moment)) }))
}

/**
 * One table as it was at a moment, to be used in a query beside others, which are as of now. It
 * needs a name of its own in the query. All tables of such a query need a history.
 *
 * @param _db only tells the types of the tables
 * @param table the table's name
 * @param moment as for `asOf`
 * @throws HtapError as `asOf`
 *
 * ### Examples
 *
 * ```ts
 * const risen = await db
 *   .selectFrom('product as now')
 *   .innerJoin(asOfTable(db, 'product', lastMonth).as('then'), 'then.id', 'now.id')
 *   .whereRef('now.price', '>', 'then.price')
 *   .select(['now.id', 'then.price as before', 'now.price'])
 *   .execute()
 * ```
 */
export function asOfTable<DB, T extends keyof DB & string>(
  _db: Kysely<DB>,
  table: T,
  moment: Moment,
): RawBuilder<Selectable<DB[T]>> {
  return sql<Selectable<DB[T]>>`${sql.id(momentName(table, plainMoment(moment)))}`
}
