import { assert } from '../../src/core/assert.js'
import { limits } from '../../src/core/limits.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { entryColumns, entryKeyColumns, entryTable } from '../capture/history-log.js'
import { valuesOf } from './gather-entries.js'
import { type HistoryTable, type KnownCapture, newestTable, versionTable } from './history-table.js'
import { lastNumber, noteNewestOnce } from './note-newest.js'
import { comparableUniques } from './replaced-rows.js'
import { isOfTransaction } from './transactions.js'

/**
 * Makes versions of the entries of one table that belong to the transactions of `temp.tx`, straight from the
 * log: where no key has two of them, each follows what the history has. What REPLACE removes of a table with
 * unique columns is found by entries that are gathered; so such a table is left to that, unless only a
 * comparison afterwards can tell.
 *
 * @param captures of the table that have such entries, in their order
 * @param known all captures that the history knows
 * @returns false, and has added nothing, where that does not hold
 */
export function addPlainVersions(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  known: readonly KnownCapture[],
): boolean {
  const [capture, ...others] = captures as [KnownCapture, ...KnownCapture[]]
  const { table, shape, columns } = capture
  if (
    others.length > 0 ||
    comparableUniques(shape, columns).length > 0 ||
    isRepeatedAtFirst(history, capture)
  ) {
    return false
  }
  requireRising(history, table)
  history.exec('savepoint plain')
  const isPlain = addAndNote(history, capture, known)
  history.exec(isPlain ? 'release plain' : 'rollback to plain; release plain')
  return isPlain
}

function addAndNote(
  history: SqliteDatabase,
  capture: KnownCapture,
  known: readonly KnownCapture[],
): boolean {
  const { table } = capture
  const last = lastNumber(history, table)
  const added = addEntries(history, capture, known)
  return added !== null && noteNewestOnce(history, table, last) === added
}

/** A glance that saves most vain attempts. */
function isRepeatedAtFirst(history: SqliteDatabase, { id, table }: KnownCapture): boolean {
  const keys = entryKeyColumns(table.keys.length).join(', ')
  return (
    history
      .prepare(
        `select 1 from (
           select e.* from temp.tx t cross join ${sourceSchema}.${entryTable(id)} e on ${isOfTransaction}
           limit ${limits.plainSampleRowsMax})
         group by ${keys} having count(*) > 1 limit 1`,
      )
      .get() !== undefined
  )
}

/** Positions never fall along the versions of a table, so that no look at those of each key is needed. */
function requireRising(history: SqliteDatabase, table: HistoryTable): void {
  const isRising = history
    .prepare(
      `select coalesce((select position from ${versionTable(table)} order by id desc limit 1), 0)
         <= (select min(position) from temp.tx)`,
    )
    .pluck()
    .safeIntegers(false)
    .get()
  assert(isRising === 1, `versions of ${table.name} follow each other`)
}

/**
 * Returns how many versions there are of these entries, in the order of the log; null where one ends a row that the
 * history does not have, as where it was inserted by an entry before.
 */
function addEntries(
  history: SqliteDatabase,
  capture: KnownCapture,
  known: readonly KnownCapture[],
): number | null {
  const { id, table } = capture
  const values = valuesOf(history, capture, known)
  const keys = entryKeyColumns(table.keys.length).map((name) => `e.${name}`)
  const isSame = table.keys.map((key, index) => `n.${key} = ${keys[index]}`).join(' and ')
  const { seq, present } = entryColumns
  const add = history.prepare(
    `insert into ${versionTable(table)}(
       position, op, previous, ${[...table.keys, ...values.map(({ column }) => column)].join(', ')})
     select t.position, ${operationOf(`e.${present}`)},
       n.id, ${[...keys, ...values.map(({ value }) => value)].join(', ')}
     from temp.tx t cross join ${sourceSchema}.${entryTable(id)} e on ${isOfTransaction}
       left join ${newestTable(table)} n on ${isSame}
     order by t.ends, e.${seq}`,
  )
  try {
    return add.run().changes
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'SQLITE_CONSTRAINT_NOTNULL') {
      return null
    }
    throw error
  }
}

/** NULL, which no version may have, for the end of a row that is not there. */
function operationOf(present: string): string {
  return `case when ${present} is not null then iif(n.step % 2, 'U', 'I') when n.step % 2 then 'D' end`
}
