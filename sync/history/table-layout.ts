import type { TableShape } from '../../src/core/table-shape.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryTable } from './history-table.js'

/** What the columns of a table are called from a position on. */
export interface TableLayout {
  readonly since: number
  readonly shape: TableShape
  /** For each column of the shape the one that holds it in `versionTable`. */
  readonly columns: readonly string[]
}

/** All layouts that a table has had, in their order; at least one. */
export function readLayouts(history: SqliteDatabase, table: HistoryTable): readonly TableLayout[] {
  const rows = history
    .prepare(
      `select since, shape, columns from history.history_capture
       where table_id = ? order by since, noted`,
    )
    .raw()
    .safeIntegers(false)
    .all(table.id) as [number, string, string][]
  return rows.map(([since, shape, columns]) => ({
    since,
    shape: JSON.parse(shape) as TableShape,
    columns: (JSON.parse(columns) as number[]).map((no) => `c${no}`),
  }))
}

/** The layout at a position; before the first one that is known, that one. */
export function layoutAt(layouts: readonly TableLayout[], position: number): TableLayout {
  return layouts.findLast(({ since }) => since <= position) ?? (layouts[0] as TableLayout)
}

/** Makes objects of rows that have all columns that there ever were, in the order of `all`. */
export class RowReader {
  readonly #layouts: readonly TableLayout[]
  readonly #all: readonly string[]

  constructor(layouts: readonly TableLayout[], all: readonly string[]) {
    this.#layouts = layouts
    this.#all = all
  }

  /** @param values of the columns, by the names that they had at `position` */
  read(values: readonly unknown[], position: number): Record<string, unknown> {
    const { shape, columns } = layoutAt(this.#layouts, position)
    return Object.fromEntries(
      shape.columns.map(({ name }, index) => [
        name,
        values[this.#all.indexOf(columns[index] as string)],
      ]),
    )
  }
}
