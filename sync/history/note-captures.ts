import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape, TableShape } from '../../src/core/table-shape.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryCapture, readHistoryCaptures } from '../capture/history-log.js'
import { captureKey } from '../capture/triggers.js'
import { readHistoryState } from './history-schema.js'
import {
  type HistoryTable,
  historyTable,
  newestTable,
  readKnownCaptures,
  type TableRow,
  versionTable,
} from './history-table.js'
import { comparableUniques } from './replaced-rows.js'

/**
 * Takes note of captures that the history has not met: finds the table that they go on with, or
 * begins one, and finds or adds its columns. Must run inside a write transaction of the history.
 *
 * @param shift between rows of the log and positions; null where the log does not lead on
 */
export function noteCaptures(history: SqliteDatabase, epoch: string, shift: number | null): void {
  const { position } = readHistoryState(history)
  const known = history.prepare('select 1 from history.history_capture where epoch = ? and id = ?')
  for (const capture of readHistoryCaptures(history, sourceSchema)) {
    if (known.get(epoch, capture.id) === undefined) {
      // The database was set back: what it has now holds from now on.
      const since = shift === null ? position + 1 : capture.seq + shift
      noteCapture(history, epoch, capture, since)
    }
  }
}

function noteCapture(
  history: SqliteDatabase,
  epoch: string,
  capture: HistoryCapture,
  since: number,
): void {
  const { id, shape } = capture
  const found = findTable(history, shape)
  // What was empty when it was captured has all of its history in the log.
  const isCompared = found === null && capture.isEmpty ? 1 : 0
  const table = found ?? beginTable(history, shape, isCompared === 1 ? since : null)
  const numbers = placeColumns(history, epoch, table, capture)
  history
    .prepare(
      `insert into history.history_capture(epoch, id, table_id, shape, columns, is_compared, since, noted)
       values (?, ?, ?, ?, ?, cast(? as integer), cast(? as integer),
         (select coalesce(max(noted), 0) + 1 from history.history_capture))`,
    )
    .run(epoch, id, table.id, JSON.stringify(shape), JSON.stringify(numbers), isCompared, since)
  addUniqueIndexes(history, table, shape, numbers)
}

/** The table of that name, if its rows have the same key. */
function findTable(history: SqliteDatabase, shape: TableShape): HistoryTable | null {
  const row = history
    .prepare(
      `select id, name, key_count, begins from history.history_table
       where name = ? and key_names = ? and ended is null`,
    )
    .raw()
    .safeIntegers(false)
    .get(shape.name, keyNames(shape)) as TableRow | undefined
  return row === undefined ? null : historyTable(row)
}

function beginTable(
  history: SqliteDatabase,
  shape: TableShape,
  begins: number | null,
): HistoryTable {
  const keyCount = captureKey(shape).length
  const { lastInsertRowid } = history
    .prepare(
      `insert into history.history_table(name, key_count, key_names, begins)
       values (?, ?, ?, cast(? as integer))`,
    )
    .run(shape.name, keyCount, keyNames(shape), begins)
  const table = historyTable([Number(lastInsertRowid), shape.name, keyCount, begins])
  const keys = table.keys.join(', ')
  // Numbers fill few pages where the rows of one move do; those of an index over keys would all change.
  const newest = shape.withoutRowid
    ? `${keys}, id integer not null, step integer not null, primary key (${keys})) without rowid`
    : `${keys} integer primary key, id integer not null, step integer not null)`
  // No number is given out again, so that whoever copies the versions knows what is new.
  history.exec(`
    create table ${versionTable(table)}(
      id integer primary key autoincrement, position integer not null, op text not null,
      previous integer, ${keys});
    create index ${versionTable(table)}_previous on version_${table.id}(previous)
      where previous is not null;
    create table ${newestTable(table)}(${newest}`)
  return table
}

/** What makes two keys mean the same: rowids do, and the same columns of a primary key. */
function keyNames(shape: TableShape): string {
  return shape.withoutRowid ? shape.primaryKey.map(foldIdentifier).join(',') : 'rowid'
}

/** The number of each column; it goes on where the capture before says so, or else its name. */
function placeColumns(
  history: SqliteDatabase,
  epoch: string,
  table: HistoryTable,
  { shape, before }: HistoryCapture,
): readonly number[] {
  const rows = history
    .prepare('select name, no from history.history_column where table_id = ? order by no')
    .raw()
    .safeIntegers(false)
    .all(table.id) as [string, number][]
  const byName = new Map(rows.map(([name, no]) => [foldIdentifier(name), no]))
  const last = readKnownCaptures(history, epoch)
    .filter((capture) => capture.table.id === table.id)
    .at(-1)
  const continued = before.map((name) => {
    const index = last?.shape.columns.findIndex((column) => column.name === name) ?? -1
    return index < 0 ? null : Number(last?.columns[index]?.slice(1))
  })
  // What goes on has its place first, so that none loses it to another of the same name.
  const taken = new Set(continued)
  let next = rows.length
  return shape.columns.map((column, index) => {
    const named = byName.get(foldIdentifier(column.name))
    const found = continued[index] ?? (taken.has(named ?? null) ? null : named) ?? null
    const no = found ?? next++
    taken.add(no)
    if (found === null) {
      const fallback = defaultLiteral(history, shape, column)
      history.exec(`alter table ${versionTable(table)} add column c${no} default ${fallback}`)
    }
    history
      .prepare(
        `insert into history.history_column(table_id, no, name) values (?, cast(? as integer), ?)
         on conflict do update set name = excluded.name`,
      )
      .run(table.id, no, column.name)
    return no
  })
}

/** What SQLite reads in rows that are older than the column, as SQL. */
function defaultLiteral(history: SqliteDatabase, shape: TableShape, column: ColumnShape): string {
  const found = history
    .prepare(`select dflt_value from pragma_table_info(?, '${sourceSchema}') where name = ?`)
    .pluck()
    .get(shape.name, column.name)
  if (typeof found !== 'string' || column.generated) {
    return 'null'
  }
  const type = column.declaredType === '' ? '' : quoteIdentifier(column.declaredType)
  history.exec(`create table temp.fallback(value ${type} default (${found}))`)
  try {
    history.exec('insert into temp.fallback default values')
    return history.prepare('select quote(value) from temp.fallback').pluck().get() as string
  } catch {
    // A function of the application: SQLite adds no such column to rows that are there.
    return 'null'
  } finally {
    history.exec('drop table temp.fallback')
  }
}

/** Rows that REPLACE removed are found by what they shared with the row that took their place. */
function addUniqueIndexes(
  history: SqliteDatabase,
  table: HistoryTable,
  shape: TableShape,
  numbers: readonly number[],
): void {
  const columns = numbers.map((no) => `c${no}`)
  for (const unique of comparableUniques(shape, columns)) {
    const name = unique.map(({ column, collation }) => `${column}_${collation.toLowerCase()}`)
    const terms = unique.map(({ column, collation }) => `${column} collate ${collation}`)
    history.exec(
      `create index if not exists ${versionTable(table)}_${name.join('_')}
       on version_${table.id}(${terms.join(', ')})`,
    )
  }
}
