import { assert } from '../../src/core/assert.js'
import { HtapError } from '../../src/core/htap-error.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { internalPrefix, readTableShape } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { captureKey } from '../capture/triggers.js'
import { carryRows } from './carry-rows.js'
import type { HistoryTable } from './history-table.js'
import { type RestoredCounts, RestoredRows } from './restored-rows.js'
import { layoutAt, readLayouts } from './table-layout.js'
import { requireWhole } from './whole-history.js'

export interface RestoreProps {
  /** Where the table, or the row, is to be as it was. */
  readonly position: number
  /** Only these rows, their keys in the order of `HistoryTable.keys`; all, if left out. */
  readonly keys?: readonly (readonly unknown[])[]
}

/**
 * Brings a table back to what it was at a position, by new changes that are captured like any other, in
 * the transaction that is open on `source`. Only rows that differ are touched. Columns that came later
 * keep what they hold, or their default in rows that come back; those that were dropped are left out;
 * generated ones follow. Foreign keys are looked at when the transaction commits.
 *
 * The history should have been moved up to the beginning of the transaction: then only what differs is
 * carried. What was changed since costs a look at every row.
 *
 * @param source a connection to the database with a write transaction open
 * @throws HtapError `history-incomplete` when the history does not reach back to the position, or has not
 * seen the present form of the table; `table-unknown` when the table is gone; better-sqlite3's
 * SqliteError when a constraint refuses a row: then nothing of it was done
 *
 * ### Examples
 *
 * ```ts
 * source.exec('begin immediate')
 * const { inserted } = restore(source, history, table, { position, keys: [[5]] })
 * source.exec('commit')
 * ```
 */
export function restore(
  source: SqliteDatabase,
  history: SqliteDatabase,
  table: HistoryTable,
  { position, keys }: RestoreProps,
): RestoredCounts {
  assert(source.inTransaction, 'a restore runs inside a transaction')
  requireWhole(history, table, position)
  const shape = presentShape(source, table)
  const rows = new RestoredRows(
    source,
    table,
    shape,
    commonColumns(history, table, shape, position),
  )
  source.exec(`savepoint ${savepoint}`)
  try {
    rows.begin()
    const isWhole = carryRows({ source, history, table, position, keys }, rows)
    const counts = rows.apply(isWhole)
    rows.end()
    source.exec(`release ${savepoint}`)
    return counts
  } catch (error) {
    if (source.inTransaction) {
      source.exec(`rollback to ${savepoint}; release ${savepoint}`)
    }
    throw error
  }
}

const savepoint = `${internalPrefix}restore`

function presentShape(source: SqliteDatabase, table: HistoryTable): TableShape {
  const shape = readTableShape(source, table.name)
  if ('refused' in shape) {
    throw new HtapError('table-unknown', `${table.name} cannot be restored: ${shape.refused}`, {
      hint: 'create the table as it was, and read its history by its versions',
      facts: { table: table.name },
    })
  }
  return shape
}

/** The columns, but those of the key, that the table has now and had then, each with its place. */
function commonColumns(
  history: SqliteDatabase,
  table: HistoryTable,
  shape: TableShape,
  position: number,
): ReadonlyMap<string, string> {
  const layouts = readLayouts(history, table)
  const now = layouts.at(-1)
  const names = (it: TableShape) => JSON.stringify(it.columns.map(({ name }) => name))
  if (now === undefined || names(now.shape) !== names(shape)) {
    throw new HtapError(
      'history-incomplete',
      `the history has not seen the present form of ${table.name}`,
      {
        hint: 'let the history catch up after a change of the schema, and restore then',
        facts: { table: table.name, position },
      },
    )
  }
  const then = layoutAt(layouts, position)
  const key = shape.withoutRowid ? captureKey(shape) : [shape.rowidAlias]
  return new Map(
    shape.columns.flatMap(({ name, generated }, index): [string, string][] => {
      const column = now.columns[index] as string
      return generated || key.includes(name) || !then.columns.includes(column)
        ? []
        : [[name, column]]
    }),
  )
}
