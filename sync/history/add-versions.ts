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
  const list = [...table.keys, ...allColumns(history, table)]
  history.exec(`create table temp.step as ${stepsSql(table, hasRepeatedKeys(history, table))}`)
  checkSteps(history, table)
  history.exec(`
    insert into ${versionTable(table)}(position, op, ${list.join(', ')})
    select e.tx, case when e.present is null then 'D' when s.was_there then 'U' else 'I' end,
      ${list.map((name) => `e.${name}`).join(', ')}
    from temp.step s join temp.entry e on e.rowid = s.entry
    where s.was_there or s.present is not null
    order by s.seq, s.event <> 'replace';
    drop table temp.step`)
}

/**
 * For every entry what stood under its key before. That is one look into an index, and one number: the
 * position of the version before, twice, and 1 more where a row stood there.
 */
function stepsSql(table: HistoryTable, isRepeated: boolean): string {
  const keys = table.keys.join(', ')
  const own = `e.rowid as entry, seq, event, tx, present, ${keys}`
  const before = `(select v.position * 2 + (v.op <> 'D') from ${versionTable(table)} v
    where ${sameKey(table, 'v', 'e')} order by v.id desc limit 1)`
  if (!isRepeated) {
    return `select *, coalesce(before / 2, 0) as tx_before, coalesce(before % 2, 0) as was_there
      from (select ${own}, ${before} as before from temp.entry e)`
  }
  // Windows over a few columns: sorting whole rows would take most of the time.
  return `select *, coalesce(lag_tx, before / 2, 0) as tx_before,
      case when n > 1 then lag_present is not null else coalesce(before % 2, 0) end as was_there
    from (select ${own}, row_number() over w as n, lag(present) over w as lag_present,
        lag(tx) over w as lag_tx, iif(row_number() over w > 1, null, ${before}) as before
      from temp.entry e window w as (partition by ${keys} order by seq))`
}

function hasRepeatedKeys(history: SqliteDatabase, { keys }: HistoryTable): boolean {
  const repeated = history.prepare(
    `select 1 from temp.entry group by ${keys.join(', ')} having count(*) > 1 limit 1`,
  )
  return repeated.get() !== undefined
}

/**
 * Proves of all new versions that they follow what was there: the positions of a key never fall, and
 * each step begins with what the one before has left. So no two versions of a key overlap, none is
 * missing but after an end, and at most one has no end.
 */
function checkSteps(history: SqliteDatabase, table: HistoryTable): void {
  const wrong = history
    .prepare(
      `select count(*) from (
         select tx, tx_before, was_there,
           lag(present is not null) over (partition by ${table.keys.join(', ')} order by seq) as left
         from temp.step)
       where tx < tx_before or (left is not null and left <> was_there)`,
    )
    .pluck()
    .safeIntegers(false)
    .get()
  assert(wrong === 0, `versions of ${table.name} follow each other`)
}
