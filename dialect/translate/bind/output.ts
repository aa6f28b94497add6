import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { Typed } from '../typed.js'
import { findAmong, type Relation } from './scope.js'

/** One column of a compiled SELECT; its SQL name is `c` and its position. */
export interface OutputColumn {
  readonly name: string | null
  readonly value: Typed
}

/**
 * Sets of output positions of which no two rows have the same values. Only a SELECT around asks, so
 * they are found when it does.
 */
export type OutputKeys = () => readonly (readonly number[])[]

export const noKeys: OutputKeys = () => []

/** A derived or common table as a relation of FROM. */
export function derivedRelation(
  columns: readonly OutputColumn[],
  name: string,
  emitted: string,
  keys: OutputKeys,
): Relation {
  const sql = (position: number) => `${emitted}.c${position}`
  let known: Relation['keys'] | undefined
  const own = columns.map((column, position) => {
    const value = {
      ...column.value,
      sql: sql(position),
      constant: false,
      read: null,
      literal: false,
      // SQLite forgets it at the border of every derived table, also of one that it flattens.
      json: false,
    }
    return { name: column.name, value: () => value }
  })
  return {
    name: foldIdentifier(name),
    emitted,
    columns: own,
    find: findAmong(own),
    table: null,
    rowid: null,
    order: null,
    get keys() {
      known ??= keys().map((positions) => positions.map(sql))
      return known
    },
  }
}
