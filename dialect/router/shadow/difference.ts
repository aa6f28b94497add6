import type { ShadowDifference } from '../../htap-shadow-config.js'

type Row = Readonly<Record<string, unknown>>

/** What an application could tell two answers apart by, the first of it; null if nothing. */
export function findDifference(
  sqlite: readonly Row[],
  duckdb: readonly Row[],
): ShadowDifference | null {
  if (sqlite.length !== duckdb.length) {
    return Object.freeze({
      kind: 'row-count',
      sqliteRows: sqlite.length,
      duckdbRows: duckdb.length,
    })
  }
  for (const [index, row] of sqlite.entries()) {
    const difference = findRowDifference(index, row, duckdb[index] as Row)
    if (difference !== null) {
      return difference
    }
  }
  return null
}

/** Positions of rows that are not the same, the first `countMax` of them. */
export function differingRows(
  sqlite: readonly Row[],
  duckdb: readonly Row[],
  countMax: number,
): readonly number[] {
  const found: number[] = []
  const length = Math.max(sqlite.length, duckdb.length)
  for (let index = 0; index < length && found.length < countMax; index++) {
    const [a, b] = [sqlite[index], duckdb[index]]
    if (a === undefined || b === undefined || findRowDifference(index, a, b) !== null) {
      found.push(index)
    }
  }
  return found
}

function findRowDifference(row: number, sqlite: Row, duckdb: Row): ShadowDifference | null {
  const sqliteColumns = Object.keys(sqlite)
  const duckdbColumns = Object.keys(duckdb)
  const isSameForm =
    sqliteColumns.length === duckdbColumns.length &&
    sqliteColumns.every((name, index) => name === duckdbColumns[index])
  if (!isSameForm) {
    return Object.freeze({
      kind: 'columns',
      row,
      sqliteColumns: Object.freeze(sqliteColumns),
      duckdbColumns: Object.freeze(duckdbColumns),
    })
  }
  const column = sqliteColumns.find((name) => !isSame(sqlite[name], duckdb[name]))
  return column === undefined
    ? null
    : Object.freeze({
        kind: 'value',
        row,
        column,
        sqliteValue: sqlite[column],
        duckdbValue: duckdb[column],
      })
}

function isSame(a: unknown, b: unknown): boolean {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) {
    return a.equals(b)
  }
  return Object.is(a, b)
}
