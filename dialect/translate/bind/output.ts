import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { Typed } from '../typed.js'
import type { Relation } from './scope.js'

/** One column of a compiled SELECT; its SQL name is `c` and its position. */
export interface OutputColumn {
  readonly name: string | null
  readonly value: Typed
}

/** A derived or common table as a relation of FROM. */
export function derivedRelation(
  columns: readonly OutputColumn[],
  name: string,
  emitted: string,
  keys: readonly (readonly number[])[],
): Relation {
  const sql = (position: number) => `${emitted}.c${position}`
  return {
    name: foldIdentifier(name),
    emitted,
    columns: columns.map((column, position) => ({
      name: column.name,
      value: () => ({
        ...column.value,
        sql: sql(position),
        constant: false,
        read: null,
        literal: false,
        // SQLite forgets it at the border of every derived table, also of one that it flattens.
        json: false,
      }),
    })),
    table: null,
    rowid: null,
    order: null,
    keys: keys.map((positions) => positions.map(sql)),
  }
}
