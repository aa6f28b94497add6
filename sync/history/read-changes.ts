import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { allColumns, type HistoryTable, versionTable } from './history-table.js'
import { isListed, keyVersions } from './key-versions.js'
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
  for (let isMore = true; isMore; ) {
    if (reached !== undefined) {
      requireWhole(history, table, reached)
    }
    const end = to === undefined ? Number.MAX_SAFE_INTEGER : lastVersionUpTo(history, table, to)
    const page = reader.read(last, end)
    isMore = page.isFull
    for (const { id, change } of page.changes) {
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

interface ChangesPage {
  readonly changes: readonly NumberedChange[]
  /** There may be more. */
  readonly isFull: boolean
}

/** Position, operation, instant, kind, actor and message of a change, and whether there was a row. */
const headWidth = 8

class PageReader {
  readonly #history: SqliteDatabase
  readonly #table: HistoryTable
  readonly #props: ChangesProps
  /** Versions of the wanted keys that are still to be read. */
  #waiting: readonly number[] = []
  #begun = 0

  constructor(history: SqliteDatabase, table: HistoryTable, props: ChangesProps) {
    this.#history = history
    this.#table = table
    this.#props = props
  }

  /** The next changes after the version `last`, up to `end`. The columns may be others with each page. */
  read(last: number, end: number): ChangesPage {
    const columns = allColumns(this.#history, this.#table)
    const listed = this.#ofKeys(last, end)
    const page =
      listed === null ? 'v.id > ? and v.id <= ? order by v.id limit ?' : `${isListed} order by v.id`
    const rows = this.#history
      .prepare(this.#sql(columns, page))
      .raw()
      .safeIntegers(this.#props.safeIntegers === true)
      .all(
        ...(listed === null ? [last, end, limits.historyPageRowsMax] : [JSON.stringify(listed)]),
      ) as unknown[][]
    const reader = new RowReader(readLayouts(this.#history, this.#table), columns)
    return {
      changes: rows.map((row) => this.#change(row, columns.length, reader)),
      isFull: (listed ?? rows).length === limits.historyPageRowsMax,
    }
  }

  /** The versions of the next page; null where those of all keys are wanted. */
  #ofKeys(last: number, end: number): readonly number[] | null {
    const { keys } = this.#props
    if (keys === undefined) {
      return null
    }
    if (this.#begun === this.#waiting.length) {
      this.#waiting = keyVersions(this.#history, this.#table, keys, last)
      this.#begun = 0
    }
    const page = this.#waiting.slice(this.#begun, this.#begun + limits.historyPageRowsMax)
    this.#begun += page.length
    return page.filter((id) => id <= end)
  }

  #sql(columns: readonly string[], page: string): string {
    const { keys } = this.#table
    const versions = versionTable(this.#table)
    const list = [...keys.map((it) => `v.${it}`), ...columns.map((it) => `v.${it}`)]
    // cast: what identifies a version is a plain number in JavaScript.
    return `select cast(v.id as real), cast(v.position as real), v.op, cast(t.instant as real), t.kind, t.actor,
        t.message, coalesce(b.op, 'D'), ${[...list, ...columns.map((it) => `b.${it}`)].join(', ')}
      from (select v.* from ${versions} v where ${page}) v
      join history.history_transaction t on t.position = v.position
      left join ${versions} b on b.id = v.previous
      order by v.id`
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
