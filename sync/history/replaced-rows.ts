import type { TableShape } from '../../src/core/table-shape.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { captureKey } from '../capture/triggers.js'
import {
  existsInSource,
  type HistoryTable,
  isLast,
  isNewest,
  type KnownCapture,
  newestTable,
  sourceKey,
  sourceTable,
  versionTable,
} from './history-table.js'
import { lastNumber, noteNewest } from './note-newest.js'

/** A column of a unique index, by its name in `versionTable`. */
export interface UniqueColumn {
  readonly column: string
  readonly collation: string
}

/** Collations that every connection has. */
const builtIn: readonly string[] = ['BINARY', 'NOCASE', 'RTRIM']

/** The unique indexes beside the key whose values can be compared here. */
export function comparableUniques(
  shape: TableShape,
  columns: readonly string[],
): readonly (readonly UniqueColumn[])[] {
  return secondaryUniques(shape).flatMap((index) => {
    const parts = index.columns.map(({ name, collation }) => {
      const at = shape.columns.findIndex((column) => column.name === name)
      const column = columns[at]
      return column === undefined || !builtIn.includes(collation) ? null : { column, collation }
    })
    return index.partial || parts.includes(null) ? [] : [parts as UniqueColumn[]]
  })
}

/** True where REPLACE can remove a row in a way that only a look at the table shows. */
export function hasIncomparableUnique(shape: TableShape, columns: readonly string[]): boolean {
  return secondaryUniques(shape).length > comparableUniques(shape, columns).length
}

function secondaryUniques(shape: TableShape): TableShape['indexes'] {
  const key = captureKey(shape).join()
  return shape.indexes.filter(
    (index) =>
      index.unique && !(shape.withoutRowid && index.columns.map(({ name }) => name).join() === key),
  )
}

/**
 * Adds to `temp.entry` that rows have gone which REPLACE removed, for which no trigger fires.
 *
 * The log has the values of all rows in the order of their changes. So where a row takes a unique
 * value that another one held last, that one must have gone at this moment, unless its own next
 * entry says that it has not: a row that comes back does so as an insert, and one that never comes
 * back is not in the table now. The proof holds also where the index was not there all the time.
 *
 * @param captures of the table that have entries
 * @param known all captures that the history knows: the table may have another form by now
 * @returns how many
 */
export function addReplacedRows(
  history: SqliteDatabase,
  captures: readonly KnownCapture[],
  known: readonly KnownCapture[],
): number {
  const { table } = captures[0] as KnownCapture
  const newest = known.findLast((it) => it.table.id === table.id) as KnownCapture
  const isAbsent =
    isNewest(newest, known) && existsInSource(history, table.name)
      ? `not exists (${holderInSource(newest)})`
      : 'true'
  const uniques = distinctUniques(captures)
  if (uniques.length > 0) {
    history.exec(`create index temp.entry_key on entry(${table.keys.join(', ')}, seq)`)
  }
  const held = table.keys.map((key) => `held_${key}`)
  let added = 0
  for (const unique of uniques) {
    added += history
      .prepare(`
      insert into temp.entry(seq, event, capture, tx, ${table.keys.join(', ')}, previous, before)
      select distinct taken, 'replace', capture, tx, ${held.join(', ')}, n.id, coalesce(n.step, 0)
      from (${takeovers(table, unique)}) h
        left join ${newestTable(table)} n on ${table.keys.map((key) => `n.${key} = h.held_${key}`).join(' and ')}
      where not exists (
          select 1 from temp.entry e
          where ${isHolder(table)} and e.seq > h.held and e.seq <= h.taken)
        and coalesce(
          (select e.event in ('insert', 'rekey', 'replace') from temp.entry e
           where ${isHolder(table)} and e.seq > h.taken order by e.seq limit 1),
          ${isAbsent})`)
      .run().changes
  }
  return added
}

function distinctUniques(captures: readonly KnownCapture[]): readonly (readonly UniqueColumn[])[] {
  const all = captures.flatMap(({ shape, columns }) => comparableUniques(shape, columns))
  return [...new Map(all.map((unique) => [JSON.stringify(unique), unique])).values()]
}

/** Each time that a unique value went from one key to another: when it was taken, who held it since when. */
function takeovers(table: HistoryTable, unique: readonly UniqueColumn[]): string {
  const columns = unique.map(({ column }) => column)
  const sorted = unique.map(({ column, collation }) => `${column} collate ${collation}`).join(', ')
  const same = unique
    .map(({ column, collation }) => `v.${column} = e.${column} collate ${collation}`)
    .join(' and ')
  const notNull = (alias: string) => columns.map((it) => `${alias}.${it} is not null`).join(' and ')
  const before = table.keys.map((key) => `lag(${key}) over w as held_${key}`)
  const isOther = table.keys.map((key) => `held_${key} is not ${key}`).join(' or ')
  const list = [...table.keys, ...columns]
  return `
    select * from (
      select seq as taken, capture, tx, ${table.keys.join(', ')}, lag(seq) over w as held, ${before.join(', ')}
      from (
        select e.seq, e.capture, e.tx, ${list.map((it) => `e.${it}`).join(', ')} from temp.entry e
        where e.present = 1 and ${notNull('e')}
        union all
        select distinct 0, null, null, ${list.map((it) => `v.${it}`).join(', ')}
        from temp.entry e cross join ${versionTable(table)} v on ${same}
        where e.present = 1 and ${notNull('e')} and v.op <> 'D' and ${isLast(table)})
      window w as (partition by ${sorted} order by seq))
    where held is not null and taken > 0 and (${isOther})`
}

function isHolder(table: HistoryTable): string {
  return table.keys.map((key) => `e.${key} = h.held_${key}`).join(' and ')
}

function holderInSource({ table, shape }: KnownCapture): string {
  const terms = sourceKey(shape, 't').map((key, index) => `${key} = h.held_${table.keys[index]}`)
  return `select 1 from ${sourceTable(shape)} t where ${terms.join(' and ')}`
}

/** Rows that the history takes to be there and the table does not have, as versions of op D. */
export function closeMissingRows(
  history: SqliteDatabase,
  capture: KnownCapture,
  position: number,
): number {
  const { table, shape } = capture
  const isThere = sourceKey(shape, 't')
    .map((key, index) => `${key} = v.${table.keys[index]}`)
    .join(' and ')
  return closeRows(
    history,
    table,
    position,
    `not exists (select 1 from ${sourceTable(shape)} t where ${isThere})`,
  )
}

/** Ends all rows of a table, called `v`, of which `condition` is true. */
export function closeRows(
  history: SqliteDatabase,
  table: HistoryTable,
  position: number,
  condition: string,
): number {
  const keys = table.keys.join(', ')
  const last = lastNumber(history, table)
  const ended = history
    .prepare(
      `insert into ${versionTable(table)}(position, op, previous, ${keys})
       select cast(? as integer), 'D', v.id, ${table.keys.map((key) => `v.${key}`).join(', ')}
       from ${versionTable(table)} v
       where v.op <> 'D' and ${isLast(table)} and ${condition}`,
    )
    .run(position).changes
  noteNewest(history, table, last)
  return ended
}
