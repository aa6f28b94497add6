import type { ColumnType, Kysely, SelectType } from 'kysely'
import { HintPlugin } from '../hints.js'
import { type Moment, plainMoment } from './moment.js'
import { encodeFilter } from './past-query.js'

/** When a version of a row held, and what made it. Instants are microseconds since 1970, UTC. */
export interface Period {
  /** The instant of the transaction that made the version. */
  readonly valid_from: number
  /** The instant of the one that ended it, which is no part of the period; null while it holds. */
  readonly valid_to: number | null
  /** I: the row was inserted, U: changed, D: deleted. */
  readonly operation: 'I' | 'U' | 'D'
  /** The position of the transaction that made the version; see `asOf`. */
  readonly position: number
}

/** Tables with all versions of their rows. They cannot be written. */
export type HistoryOf<DB, P = Period> = {
  [T in keyof DB]: {
    [C in keyof DB[T] | keyof P]: ColumnType<
      C extends keyof P ? P[C] : C extends keyof DB[T] ? SelectType<DB[T][C]> : never,
      never,
      never
    >
  }
}

/** Which versions `history` shows; all of them unless one of the periods is given. */
export interface HistoryFilter {
  /** Versions that held at any time from the first moment to the second, which counts. */
  readonly between?: readonly [Moment, Moment]
  /** Versions that held at any time from the first moment to the second, which does not count. */
  readonly fromTo?: readonly [Moment, Moment]
  /** Versions that began and ended inside. */
  readonly containedIn?: readonly [Moment, Moment]
  /**
   * The ends of rows, too, as versions of operation D with an empty period, of which only the key is
   * known.
   *
   * @default false
   */
  readonly deleted?: boolean
}

/**
 * A view of the whole database in which every table with history holds all versions that its rows
 * ever had, with four columns more: `valid_from`, `valid_to`, `operation` and `position`. Columns
 * that were dropped since are there, too, under the names that they had last.
 *
 * Other names for the four are set with `HtapHistoryConfig.columns`; tell the types with the second
 * type argument.
 *
 * @throws HtapError `config-invalid` for moments that are none; queries throw as those of `asOf`
 *
 * ### Examples
 *
 * ```ts
 * const life = await history(db)
 *   .selectFrom('product')
 *   .where('id', '=', 7)
 *   .select(['price', 'valid_from', 'valid_to', 'operation'])
 *   .orderBy('valid_from')
 *   .execute()
 *
 * const changed = await history(db, { between: ['2026-01-01', '2026-02-01'] })
 *   .selectFrom('product')
 *   .select(({ fn }) => fn.count('id').distinct().as('products'))
 *   .execute()
 * ```
 */
export function history<DB, P = Period>(
  db: Kysely<DB>,
  filter: HistoryFilter = {},
): Kysely<HistoryOf<DB, P>> {
  const { between, fromTo, containedIn, deleted = false } = filter
  const period = between ?? fromTo ?? containedIn
  const kind =
    between !== undefined
      ? 'between'
      : fromTo !== undefined
        ? 'from-to'
        : containedIn !== undefined
          ? 'contained-in'
          : 'all'
  const versions = encodeFilter({
    kind,
    from: period === undefined ? null : plainMoment(period[0]),
    to: period === undefined ? null : plainMoment(period[1]),
    deleted,
  })
  return db.withPlugin(new HintPlugin({ versions })) as unknown as Kysely<HistoryOf<DB, P>>
}
