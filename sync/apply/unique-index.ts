import type { ColumnKind } from '../../src/core/column-batch.js'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { fitsStorage } from '../read/batch-encoder.js'

/**
 * REPLACE deletes the row it conflicts with without firing a delete trigger, so a change log can
 * miss that a row has gone. Uniqueness shows it: no other row can hold the unique values of a
 * row that exists. What has to be looked at per table:
 */
export interface UniqueConstraints {
  /** Column lists whose values can be compared in the mirror as SQLite compares them. */
  readonly comparable: readonly (readonly string[])[]
  /**
   * When the number of rows has to prove that none is left over: never without unique
   * constraints; when a key changed twice (what it held in between is not known); always when
   * a constraint cannot be compared in the mirror.
   */
  readonly count: 'never' | 'when-repeated' | 'always'
}

export function uniqueConstraints(
  shape: TableShape,
  storage: readonly ColumnKind[],
  profiles: readonly ColumnProfile[],
): UniqueConstraints {
  const unique = shape.indexes.filter(
    (index) => index.unique && !(shape.withoutRowid && index.origin === 'pk'),
  )
  const isComparable = (name: string | null, collation: string): boolean => {
    const position = shape.columns.findIndex(
      (column) => name !== null && foldIdentifier(column.name) === foldIdentifier(name),
    )
    const kind = storage[position]
    const profile = profiles[position]
    return (
      collation === 'BINARY' &&
      kind !== undefined &&
      profile !== undefined &&
      fitsStorage(kind, profile) &&
      !profile.hasDoubtfulText
    )
  }
  const comparable = unique.filter(
    (index) =>
      !index.partial &&
      index.columns.every((column) => isComparable(column.name, column.collation)),
  )
  return {
    comparable: comparable.map((index) => index.columns.map((column) => String(column.name))),
    count:
      unique.length === 0
        ? 'never'
        : comparable.length === unique.length
          ? 'when-repeated'
          : 'always',
  }
}
