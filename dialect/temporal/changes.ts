import type { Kysely, Selectable, Transaction } from 'kysely'
import { limits } from '../../src/core/limits.js'
import { findKeys } from '../../sync/history/find-keys.js'
import { readChanges } from '../../sync/history/read-changes.js'
import { readDiff } from '../../sync/history/read-diff.js'
import { findHistoryTable } from './find-history-table.js'
import { readHistory } from './history-call.js'
import { type Moment, plainMoment } from './moment.js'
import { positionOf } from './past-placement.js'
import { temporalRouter } from './temporal-instance.js'
import type { TemporalRouter } from './temporal-router.js'

/** One change of one row. */
export interface Change<Row> {
  readonly operation: 'I' | 'U' | 'D'
  /** Of the transaction; see `asOf`. */
  readonly position: number
  /** Of the transaction, in microseconds since 1970, UTC. */
  readonly instant: number
  /**
   * `commit`; `initial` where the row was there when the history began, `found` where the change had
   * passed by, `set-back` where the database was restored, `erased` where its history begins anew.
   */
  readonly kind: string
  /** What `withActor` was given; null without it. */
  readonly actor: string | null
  readonly message: string | null
  /** The row before the change and after it, by the names that its columns had then; null where none was. */
  readonly before: Row | null
  readonly after: Row | null
}

/** Which changes. */
export interface ChangesOptions<Row> {
  /** After this moment; all, if it is left out. */
  readonly from?: Moment
  /** Up to and with this moment; all, if it is left out. */
  readonly to?: Moment
  /** Only of rows that ever held these values: give the primary key. */
  readonly where?: Partial<Row>
}

/**
 * The changes of a table in the order in which they happened, with the row before and after each.
 * Nothing is kept in memory but a page.
 *
 * @throws HtapError `history-missing`; `history-incomplete` for a `from` before the history began;
 * `config-invalid`; `history-failed`
 *
 * ### Examples
 *
 * ```ts
 * for await (const { operation, actor, before, after } of changes(db, 'product', {
 *   from: '2026-01-01',
 *   where: { id: 7 },
 * })) {
 *   console.log(operation, actor, before?.price, after?.price)
 * }
 * ```
 */
export async function* changes<DB, T extends keyof DB & string>(
  db: Kysely<DB> | Transaction<DB>,
  table: T,
  options: ChangesOptions<Selectable<DB[T]>> = {},
): AsyncGenerator<Change<Selectable<DB[T]>>, void, void> {
  yield* readHistory(changesOf(await temporalRouter(db), table, options))
}

async function* changesOf<Row>(
  router: TemporalRouter,
  table: string,
  options: ChangesOptions<Row>,
): AsyncGenerator<Change<Row>, void, void> {
  const { history, safeIntegers } = router.reading
  await history.moveNow()
  const found = findHistoryTable(history.file, table)
  const range = {
    safeIntegers,
    ...(options.from === undefined
      ? {}
      : { from: await positionOf(plainMoment(options.from), history) }),
    to:
      options.to === undefined
        ? history.state.position
        : await positionOf(plainMoment(options.to), history),
  }
  const wanted =
    options.where === undefined
      ? range
      : { ...range, keys: findKeys(history.file, found, options.where) }
  let rows = 0
  for (const { key: _, ...change } of readChanges(history.file, found, wanted)) {
    yield change as unknown as Change<Row>
    if (++rows % limits.historyPageRowsMax === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** In what one row differs between two moments. */
export interface Difference<Row> {
  readonly difference: 'added' | 'removed' | 'changed'
  readonly before: Row | null
  readonly after: Row | null
}

/**
 * The rows in which a table differs between two moments.
 *
 * @throws HtapError as `changes`
 *
 * ### Examples
 *
 * ```ts
 * for await (const { difference, before, after } of diff(db, 'product', '2026-01-01', '2026-02-01')) {
 *   console.log(difference, before, after)
 * }
 * ```
 */
export async function* diff<DB, T extends keyof DB & string>(
  db: Kysely<DB> | Transaction<DB>,
  table: T,
  from: Moment,
  to: Moment,
): AsyncGenerator<Difference<Selectable<DB[T]>>, void, void> {
  yield* readHistory(differencesOf(await temporalRouter(db), table, from, to))
}

async function* differencesOf<Row>(
  router: TemporalRouter,
  table: string,
  from: Moment,
  to: Moment,
): AsyncGenerator<Difference<Row>, void, void> {
  const { history, safeIntegers } = router.reading
  const positions = {
    from: await positionOf(plainMoment(from), history),
    to: await positionOf(plainMoment(to), history),
  }
  const found = findHistoryTable(history.file, table)
  let rows = 0
  for (const { key: _, ...difference } of readDiff(history.file, found, {
    ...positions,
    safeIntegers,
  })) {
    yield difference as unknown as Difference<Row>
    if (++rows % limits.historyPageRowsMax === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
