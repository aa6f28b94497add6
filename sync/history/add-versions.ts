import { assert } from '../../src/core/assert.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { entryColumns, entryTable } from '../capture/history-log.js'
import { type EntryValue, valuesOf } from './gather-entries.js'
import { type HistoryTable, type KnownCapture, versionTable } from './history-table.js'
import { lastNumber, noteNewest } from './note-newest.js'
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
  const isPlain = replaced === 0 && !isRepeated
  const steps = isPlain ? 'temp.entry' : 'temp.step'
  const last = lastNumber(history, table)
  if (!isPlain) {
    history.exec(`create table ${steps} as ${stepsSql(table, last)}`)
  }
  checkSteps(history, table, steps, isRepeated)
  for (const capture of captures) {
    const values = [
      { column: 'id', value: isPlain ? 'null' : 's.id' },
      ...valuesOf(history, capture, known),
    ]
    addVersionsOf(history, capture, steps, values)
  }
  noteNewest(history, table, last)
  history.exec('drop table if exists temp.step')
}

/** In the order of the steps, which is that of the log: captures follow each other. */
function addVersionsOf(
  history: SqliteDatabase,
  { id, table }: KnownCapture,
  steps: string,
  values: readonly EntryValue[],
): void {
  const keys = table.keys.map((key) => `s.${key}`)
  history.exec(`
    insert into ${versionTable(table)}(
      position, op, previous, ${[...table.keys, ...values.map(({ column }) => column)].join(', ')})
    select s.tx, case when s.present is null then 'D' when s.before % 2 then 'U' else 'I' end, s.previous,
      ${[...keys, ...values.map(({ value }) => value)].join(', ')}
    from ${steps} s left join ${sourceSchema}.${entryTable(id)} e
      on e.${entryColumns.seq} = s.seq and s.event <> 'replace'
    where s.capture = ${id} and (s.before % 2 or s.present is not null)
    order by s.rowid`)
}

/**
 * Every entry, in the order of the log, with what stood under its key before it: what the entry before has
 * left, if there is one. Those that make a version have its number, which goes on from `last`, and all that
 * of the version before.
 */
function stepsSql({ keys }: HistoryTable, last: number): string {
  const key = keys.join(', ')
  const isVersion = 'before % 2 or present is not null'
  return `
    with placed as (
      select *, row_number() over (order by seq, event <> 'replace', ${key}) as place
      from temp.entry),
    stepped as (
      select seq, event, capture, tx, present, ${key}, place, previous,
        iif(row_number() over w > 1, lag(tx) over w * 2 + (lag(present) over w is not null), before) as before
      from placed window w as (partition by ${key} order by place)),
    numbered as (
      select *, iif(${isVersion},
        ${last} + count(*) filter (where ${isVersion}) over (order by place), null) as id
      from stepped)
    select seq, event, capture, tx, present, ${key}, before, id, coalesce(
        max(id) over (partition by ${key} order by place rows between unbounded preceding and 1 preceding),
        previous) as previous
    from numbered order by place`
}

function hasRepeatedKeys(history: SqliteDatabase, { keys }: HistoryTable): boolean {
  const row = (alias: string) => `(${keys.map((key) => `${alias}.${key}`).join(', ')})`
  // One statement changes rows in the order of their keys as a rule: no sorting then.
  const fallen = history.prepare(
    `select 1 from temp.entry e join temp.entry next on next.rowid = e.rowid + 1
     where ${row('next')} <= ${row('e')} limit 1`,
  )
  const repeated = history.prepare(
    `select 1 from temp.entry group by ${keys.join(', ')} having count(*) > 1 limit 1`,
  )
  return fallen.get() !== undefined && repeated.get() !== undefined
}

/**
 * Proves of all new versions that they follow what was there: the positions of a key never fall, and
 * each step begins with what the one before has left. So no two versions of a key overlap, none is
 * missing but after an end, and at most one has no end.
 */
function checkSteps(
  history: SqliteDatabase,
  { name, keys }: HistoryTable,
  steps: string,
  isRepeated: boolean,
): void {
  const left = isRepeated
    ? `lag(present is not null) over (partition by ${keys.join(', ')} order by rowid)`
    : 'null'
  const wrong = history
    .prepare(
      `select count(*) from (select tx, before, ${left} as left from ${steps})
       where tx < before / 2 or left <> before % 2`,
    )
    .pluck()
    .safeIntegers(false)
    .get()
  assert(wrong === 0, `versions of ${name} follow each other`)
}
