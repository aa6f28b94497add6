import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { allColumns, type HistoryTable, sameKey, versionTable } from './history-table.js'
import { RowReader, readLayouts } from './table-layout.js'
import { lastVersionUpTo } from './version-range.js'
import { requireWhole } from './whole-history.js'

/** One change of one row. */
export interface RowChange {
  readonly operation: 'I' | 'U' | 'D'
  readonly position: number
  /** Microseconds since 1970. */
  readonly instant: number
  /** Where the history has it from; see `history_transaction`. */
  readonly kind: string
  readonly actor: string | null
  readonly message: string | null
  /** What identifies the row: the rowid, or the primary key of a WITHOUT ROWID table. */
  readonly key: readonly unknown[]
  /** The row by the names that the columns had at this position; null where there was none. */
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

export interface ChangesProps {
  /** Changes after this position; all that the history has, if it is left out. */
  readonly from?: number
  /** Changes up to this position; all up to now, if it is left out. */
  readonly to?: number
  /** Only those of these rows, their keys in the order of `HistoryTable.keys`. */
  readonly keys?: readonly (readonly unknown[])[]
  /** Integers as `bigint`. */
  readonly safeIntegers?: boolean
}

/**
 * Every change of a table in `from < position <= to`, in the order in which they happened. Reads in pages;
 * nothing is kept open in between, and what is added meanwhile up to `to` is seen.
 *
 * @throws HtapError `history-incomplete` when `from` lies before what is known of the table, or the
 * history is shortened to beyond where the reader is; `config-invalid` for too many keys
 */
export function* readChanges(
  history: SqliteDatabase,
  table: HistoryTable,
  props: ChangesProps = {},
): Generator<RowChange, void, void> {
  const { from, to, keys } = props
  refuseTooMany(table, keys)
  const reader = new PageReader(history, table, props)
  let last = from === undefined ? 0 : lastVersionUpTo(history, table, from)
  let reached = from
  for (let count: number = limits.historyPageRowsMax; count === limits.historyPageRowsMax; ) {
    if (reached !== undefined) {
      requireWhole(history, table, reached)
    }
    const end = to === undefined ? Number.MAX_SAFE_INTEGER : lastVersionUpTo(history, table, to)
    const page = keys?.length === 0 ? [] : reader.read(last, end)
    count = page.length
    for (const { id, change } of page) {
      last = id
      reached = from === undefined ? undefined : Math.max(from, change.position - 1)
      yield change
    }
  }
}

/** All of them stand in one statement, so that their changes come in one order. */
function refuseTooMany(table: HistoryTable, keys: ChangesProps['keys']): void {
  if (keys !== undefined && keys.length > limits.changedKeysMax) {
    throw new HtapError('config-invalid', `these are ${keys.length} rows of ${table.name}`, {
      hint: `ask for the changes of ${limits.changedKeysMax} rows at most, or of the whole table`,
      facts: { table: table.name, keys: keys.length },
    })
  }
}

interface NumberedChange {
  readonly id: number
  readonly change: RowChange
}

/** Position, operation, instant, kind, actor and message of a change, and whether there was a row. */
const headWidth = 8

class PageReader {
  readonly #history: SqliteDatabase
  readonly #table: HistoryTable
  readonly #props: ChangesProps

  constructor(history: SqliteDatabase, table: HistoryTable, props: ChangesProps) {
    this.#history = history
    this.#table = table
    this.#props = props
  }

  /** The next changes after the version `last`, up to `end`. The columns may be others with each page. */
  read(last: number, end: number): NumberedChange[] {
    const columns = allColumns(this.#history, this.#table)
    const rows = this.#history
      .prepare(this.#sql(columns))
      .raw()
      .safeIntegers(this.#props.safeIntegers === true)
      .all(...(this.#props.keys ?? []).flat(), last, end, limits.historyPageRowsMax) as unknown[][]
    const reader = new RowReader(readLayouts(this.#history, this.#table), columns)
    return rows.map((row) => this.#change(row, columns.length, reader))
  }

  #sql(columns: readonly string[]): string {
    const { keys } = this.#table
    const versions = versionTable(this.#table)
    const list = [...keys.map((it) => `v.${it}`), ...columns.map((it) => `v.${it}`)]
    // cast: what identifies a version is a plain number in JavaScript.
    return `select cast(v.id as real), cast(v.position as real), v.op, cast(t.instant as real), t.kind, t.actor,
        t.message, coalesce(b.op, 'D'), ${[...list, ...columns.map((it) => `b.${it}`)].join(', ')}
      from (select * from ${versions} where ${this.#isOfKeys()} id > ? and id <= ? order by id limit ?) v
      join history.history_transaction t on t.position = v.position
      left join ${versions} b on b.id = (
        select max(p.id) from ${versions} p where ${sameKey(this.#table, 'p', 'v')} and p.id < v.id)
      order by v.id`
  }

  #isOfKeys(): string {
    const { keys } = this.#table
    const [first, ...others] = this.#props.keys ?? []
    if (first === undefined) {
      return ''
    }
    if (others.length === 0) {
      return keys.map((key) => `${key} = ? and`).join(' ')
    }
    const row = `(${keys.map(() => '?').join(', ')})`
    const rows = [row, ...others.map(() => row)].join(', ')
    return `(${keys.join(', ')}) in (values ${rows}) and`
  }

  #change(row: readonly unknown[], width: number, reader: RowReader): NumberedChange {
    const [id, position, operation, instant, kind, actor, message, before] = row as HeadRow
    const key = row.slice(headWidth, headWidth + this.#table.keys.length)
    const values = headWidth + key.length
    const read = (from: number) => reader.read(row.slice(from, from + width), position)
    return {
      id,
      change: {
        operation,
        position,
        instant,
        kind,
        actor,
        message,
        key,
        before: before === 'D' ? null : read(values + width),
        after: operation === 'D' ? null : read(values),
      },
    }
  }
}

type HeadRow = [
  id: number,
  position: number,
  operation: RowChange['operation'],
  instant: number,
  kind: string,
  actor: string | null,
  message: string | null,
  before: string,
]
