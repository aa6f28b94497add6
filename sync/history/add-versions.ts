import { assert } from '../../src/core/assert.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { entryColumns, entryTable } from '../capture/history-log.js'
import { type EntryValue, valuesOf } from './gather-entries.js'
import { type HistoryTable, type KnownCapture, sameKey, versionTable } from './history-table.js'
import { addReplacedRows } from './replaced-rows.js'

/**
 * Makes versions of the entries in `temp.entry`. An entry says what stands under a key; what it means
 * follows from the entry before: I where nothing was, D where nothing is, U where a row was and is.
 *
 * @param captures of one table, whose entries these are, in their order
 * @param known all captures that the history knows
 */
export function addVersions(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  known: readonly KnownCapture[],
): void {
  const { table } = captures[0] as KnownCapture
  const replaced = addReplacedRows(history, captures, known)
  const isRepeated = hasRepeatedKeys(history, table)
  history.exec(`create table temp.step as ${stepsSql(table, isRepeated)}
    ${replaced > 0 || isRepeated ? "order by seq, event <> 'replace'" : ''}`)
  checkSteps(history, table, isRepeated)
  for (const capture of captures) {
    addVersionsOf(history, capture, valuesOf(history, capture, known))
  }
  history.exec('drop table temp.step')
}

/** In the order of the steps, which is that of the log: captures follow each other. */
function addVersionsOf(
  history: SqliteDatabase,
  { id, table }: KnownCapture,
  values: readonly EntryValue[],
): void {
  const keys = table.keys.map((key) => `s.${key}`)
  history.exec(`
    insert into ${versionTable(table)}(
      position, op, ${[...table.keys, ...values.map(({ column }) => column)].join(', ')})
    select s.tx, case when s.present is null then 'D' when s.before % 2 then 'U' else 'I' end,
      ${[...keys, ...values.map(({ value }) => value)].join(', ')}
    from temp.step s left join ${sourceSchema}.${entryTable(id)} e
      on e.${entryColumns.seq} = s.seq and s.event <> 'replace'
    where s.capture = ${id} and (s.before % 2 or s.present is not null)
    order by s.rowid`)
}

/**
 * For every entry what stood under its key before, as one number, for which one look into an index is
 * enough: twice the position of the version before, and 1 more where a row stood there.
 */
function stepsSql(table: HistoryTable, isRepeated: boolean): string {
  const keys = table.keys.join(', ')
  const own = `seq, event, capture, tx, present, ${keys}`
  const found = `coalesce((
    select v.position * 2 + (v.op <> 'D') from ${versionTable(table)} v
    where ${sameKey(table, 'v', 'e')} order by v.id desc limit 1), 0)`
  return isRepeated
    ? `select ${own}, iif(row_number() over w > 1,
          lag(tx) over w * 2 + (lag(present) over w is not null), ${found}) as before
       from temp.entry e window w as (partition by ${keys} order by seq, event <> 'replace')`
    : `select ${own}, ${found} as before from temp.entry e`
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
function checkSteps(
  history: SqliteDatabase,
  { name, keys }: HistoryTable,
  isRepeated: boolean,
): void {
  const left = isRepeated
    ? `lag(present is not null) over (partition by ${keys.join(', ')} order by rowid)`
    : 'null'
  const wrong = history
    .prepare(
      `select count(*) from (select tx, before, ${left} as left from temp.step)
       where tx < before / 2 or left <> before % 2`,
    )
    .pluck()
    .safeIntegers(false)
    .get()
  assert(wrong === 0, `versions of ${name} follow each other`)
}
