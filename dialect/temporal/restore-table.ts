import type { Kysely, Selectable, Transaction } from 'kysely'
import { findKeys } from '../../sync/history/find-keys.js'
import type { RestoredCounts } from '../../sync/history/restored-rows.js'
import { findHistoryTable } from './find-history-table.js'
import { callHistory } from './history-call.js'
import { type Moment, plainMoment } from './moment.js'
import { positionOf } from './past-placement.js'
import { temporalRouter } from './temporal-instance.js'

/** What is to be brought back. */
export interface RestoreOptions<Row> {
  /** To what it was at this moment. */
  readonly to: Moment
  /** Only rows that ever held these values: give the primary key. The whole table, if it is left out. */
  readonly where?: Partial<Row>
}

/**
 * Brings a table, or some of its rows, back to what it was at a moment: by new changes, in one
 * transaction, which are in the history like any others. Rows that do not differ are not touched; columns
 * that came later keep what they hold; foreign keys are checked at the end.
 *
 * @param db an instance in temporal mode, or a transaction of it, which it then is a part of
 * @returns how many rows were inserted, updated and deleted
 * @throws HtapError `history-missing`, `history-incomplete`, `history-failed`, `table-unknown` for a table
 * that is gone; SQLite's own error when a constraint refuses a row: then nothing has changed
 *
 * ### Examples
 *
 * ```ts
 * const { updated } = await restoreTable(db, 'product', { to: '2026-01-31', where: { id: 7 } })
 * ```
 */
export async function restoreTable<DB, T extends keyof DB & string>(
  db: Kysely<DB> | Transaction<DB>,
  table: T,
  { to, where }: RestoreOptions<Selectable<DB[T]>>,
): Promise<RestoredCounts> {
  const router = await temporalRouter(db)
  const { history } = router
  const { found, props } = await callHistory(async () => {
    await history.moveNow()
    const position = await positionOf(plainMoment(to), history)
    const found = findHistoryTable(history.file, table)
    return {
      found,
      props:
        where === undefined
          ? { position }
          : { position, keys: findKeys(history.file, found, where) },
    }
  })
  const run = () => router.restore(found, props)
  return db.isTransaction ? run() : await db.transaction().execute(async () => run())
}
