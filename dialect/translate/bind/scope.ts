import type { MirrorTable } from '../../../src/core/mirror-table.js'
import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import type { Expression } from '../parse/syntax.js'
import type { Typed } from '../typed.js'

/** A table, derived table or common table in FROM, as the expressions see it. */
export interface Relation {
  /** Folded name by which the text calls it. */
  readonly name: string
  /** Its name in the translation: `t3`. */
  readonly emitted: string
  readonly columns: readonly RelationColumn[]
  /** The column of a folded name. */
  readonly find: FindColumn
  /** Null for a derived table. */
  readonly table: MirrorTable | null
  readonly rowid: Typed | null
  /** What numbers the rows of a derived table in its own order, where that matters. */
  readonly order: Typed | null
  /** Sets of columns, by their SQL, of which no two rows have the same values, none of them NULL. */
  readonly keys: readonly (readonly string[])[]
}

export interface RelationColumn {
  /** As SQLite spells it; null for an expression without a name. */
  readonly name: string | null
  /** Raises `Keep` when the column cannot be read. */
  readonly value: () => Typed
}

export type FindColumn = (folded: string) => RelationColumn | 'ambiguous' | undefined

/** One SELECT's names, and the SELECT around it. */
export class Scope {
  readonly outer: Scope | null
  readonly relations: readonly Relation[]
  /** Columns that USING or NATURAL merged, by folded name. */
  readonly merged: ReadonlyMap<string, Typed>
  /** Result columns by folded alias, for the clauses that see them. */
  readonly aliases = new Map<string, Expression>()
  /** How many names were found here, and how many further out. */
  localUses = 0
  outerUses = 0

  constructor(
    outer: Scope | null,
    relations: readonly Relation[],
    merged: ReadonlyMap<string, Typed>,
  ) {
    this.outer = outer
    this.relations = relations
    this.merged = merged
  }

  /** The column of that name in this SELECT only; null if there is none. */
  ownColumn(table: string | null, name: string): Typed | null {
    const folded = foldIdentifier(name)
    const merged = table === null ? this.merged.get(folded) : undefined
    if (merged !== undefined) {
      return merged
    }
    const qualifier = table === null ? null : foldIdentifier(table)
    let only: RelationColumn | undefined
    for (const relation of this.relations) {
      if (qualifier !== null && relation.name !== qualifier) {
        continue
      }
      const column = relation.find(folded)
      if (column === 'ambiguous' || (column !== undefined && only !== undefined)) {
        return keep('ambiguous column')
      }
      only ??= column
    }
    return only === undefined ? this.#rowid(qualifier, folded) : only.value()
  }

  #rowid(qualifier: string | null, folded: string): Typed | null {
    if (folded !== 'rowid' && folded !== '_rowid_' && folded !== 'oid') {
      return null
    }
    const candidates =
      qualifier === null
        ? this.relations
        : this.relations.filter((relation) => relation.name === qualifier)
    const [only] = candidates
    return candidates.length === 1 && only !== undefined ? only.rowid : null
  }
}

/** Finds columns by name in a list of them, which is read when it is asked for the first time. */
export function findAmong(columns: readonly RelationColumn[]): FindColumn {
  let byName: Map<string, RelationColumn | 'ambiguous'> | undefined
  return (wanted) => {
    if (byName === undefined) {
      byName = new Map()
      for (const column of columns) {
        if (column.name !== null) {
          const folded = foldIdentifier(column.name)
          byName.set(folded, byName.has(folded) ? 'ambiguous' : column)
        }
      }
    }
    return byName.get(wanted)
  }
}
