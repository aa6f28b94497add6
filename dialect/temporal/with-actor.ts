import type { Kysely, Transaction } from 'kysely'
import { temporalRouter } from './temporal-instance.js'

/** Who makes a transaction, and why. */
export interface Actor {
  readonly actor: string
  readonly message?: string
}

/**
 * Runs a transaction, and keeps with its changes who made it and why; see `changes`.
 *
 * @param db an instance in temporal mode
 * @param callback as for Kysely's `db.transaction().execute(callback)`
 * @throws HtapError `history-missing` without temporal mode; what the callback throws
 *
 * ### Examples
 *
 * ```ts
 * await withActor(db, { actor: 'ada', message: 'spring sale' }, (trx) =>
 *   trx.updateTable('product').set({ price: 3 }).where('id', '=', 7).execute(),
 * )
 * ```
 */
export async function withActor<DB, T>(
  db: Kysely<DB>,
  { actor, message }: Actor,
  callback: (transaction: Transaction<DB>) => Promise<T>,
): Promise<T> {
  const router = await temporalRouter(db)
  return await db.transaction().execute(async (transaction) => {
    const note = router.beginNote({ actor, message: message ?? null })
    const result = await callback(transaction)
    note()
    return result
  })
}
