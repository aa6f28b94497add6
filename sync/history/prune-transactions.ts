import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { readAllHistoryTables, versionTable } from './history-table.js'
import { inHistoryTransaction } from './history-transaction.js'
import { lastVersionUpTo } from './version-range.js'

/**
 * Forgets transactions before `position` of which no version is left. A moment between two transactions
 * is seen as of the first one, so that none is missed that changed nothing; where the history of a table
 * begins, its transaction stays.
 *
 * @param isOfAll also those that never changed anything, of which only the actor is known
 */
export async function pruneTransactions(
  history: SqliteDatabase,
  position: number,
  isOfAll: boolean,
): Promise<void> {
  const page = history
    .prepare(
      `select position from history.history_transaction
       where position > ? and position < ? order by position limit ?`,
    )
    .pluck()
    .safeIntegers(false)
  let last = 0
  for (;;) {
    const positions = page.all(last, position, limits.historyPageRowsMax) as number[]
    const end = positions.at(-1)
    if (end === undefined) {
      return
    }
    inHistoryTransaction(history, () => prunePage(history, last, end, isOfAll))
    last = end
    await turnOfLoop()
  }
}

function prunePage(history: SqliteDatabase, after: number, upTo: number, isOfAll: boolean): void {
  history.exec('create temp table spare(position integer primary key)')
  history
    .prepare(
      `insert into temp.spare select position from history.history_transaction
       where position > ? and position <= ? and kind <> 'schema' ${isOfAll ? '' : 'and actor is null'}
         and position not in (select begins from history.history_table where begins is not null)`,
    )
    .run(after, upTo)
  for (const table of readAllHistoryTables(history)) {
    history
      .prepare(
        `delete from temp.spare where position in (
           select position from ${versionTable(table)} where id > ? and id <= ?)`,
      )
      .run(lastVersionUpTo(history, table, after), lastVersionUpTo(history, table, upTo))
  }
  history.exec(`
    delete from history.history_transaction where position in (select position from temp.spare);
    drop table temp.spare`)
}
