import { assert } from '../../src/core/assert.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import {
  allColumns,
  type HistoryTable,
  type KnownCapture,
  sameKey,
  versionTable,
} from './history-table.js'
import { addReplacedRows } from './replaced-rows.js'

/**
 * Makes versions of the entries in `temp.entry`. An entry says what stands under a key; what it means
 * follows from the entry before: I where nothing was, D where nothing is, U where a row was and is.
 *
 * @param captures of one table, whose entries these are
 */
export function addVersions(history: SqliteDatabase, captures: readonly KnownCapture[]): void {
  const { table } = captures[0] as KnownCapture
  addReplacedRows(history, captures)
  const keys = table.keys.join(', ')
  const list = [...table.keys, ...allColumns(history, table)].join(', ')
  const first = nextVersion(history, table)
  history.exec(`
    insert into ${versionTable(table)}(position, op, ${list})
    select tx,
      case when present is null then 'D' when was_there then 'U' else 'I' end, ${list}
    from (
      select e.*, case when n > 1 then present_before is not null
        else coalesce((select v.op <> 'D' from ${versionTable(table)} v
          where ${sameKey(table, 'v', 'e')} order by v.id desc limit 1), false) end as was_there
      from (
        select *, row_number() over w as n, lag(present) over w as present_before
        from temp.entry window w as (partition by ${keys} order by seq)) e)
    where was_there or present is not null
    order by seq, event <> 'replace'`)
  checkVersions(history, table, first)
}

function nextVersion(history: SqliteDatabase, table: HistoryTable): number {
  return history
    .prepare(`select coalesce(max(id), 0) + 1 from ${versionTable(table)}`)
    .pluck()
    .safeIntegers(false)
    .get() as number
}

/**
 * Proves of all versions from `first` on that they follow what was there: a row begins where none was,
 * and changes or ends where one was. With positions that never fall this means that no two versions of
 * a key overlap, that none is missing but after an end, and that at most one has no end.
 */
export function checkVersions(history: SqliteDatabase, table: HistoryTable, first: number): void {
  const before = (column: string) => `coalesce(lag(v.${column}) over w,
    (select p.${column} from ${versionTable(table)} p
     where ${sameKey(table, 'p', 'v')} and p.id < ${first} order by p.id desc limit 1))`
  const wrong = history
    .prepare(
      `select count(*) from (
         select op, position, ${before('op')} as op_before, ${before('position')} as position_before
         from ${versionTable(table)} v where id >= ${first}
         window w as (partition by ${table.keys.join(', ')} order by id))
       where position < coalesce(position_before, 0)
         or (op = 'I') is not (coalesce(op_before, 'D') = 'D')`,
    )
    .pluck()
    .safeIntegers(false)
    .get()
  assert(wrong === 0, `versions of ${table.name} follow each other`)
}
