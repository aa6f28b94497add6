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
    const candidates =
      table === null
        ? this.relations
        : this.relations.filter((relation) => relation.name === foldIdentifier(table))
    let only: RelationColumn | undefined
    for (const relation of candidates) {
      const column = columnsByName(relation).get(folded)
      if (column === 'ambiguous' || (column !== undefined && only !== undefined)) {
        return keep('ambiguous column')
      }
      only ??= column
    }
    return only === undefined ? rowidOf(candidates, folded) : only.value()
  }
}

const byName = new WeakMap<Relation, ReadonlyMap<string, RelationColumn | 'ambiguous'>>()

/** A relation's columns by folded name, for it is asked many times. */
function columnsByName(relation: Relation): ReadonlyMap<string, RelationColumn | 'ambiguous'> {
  const known = byName.get(relation)
  if (known !== undefined) {
    return known
  }
  const columns = new Map<string, RelationColumn | 'ambiguous'>()
  for (const column of relation.columns) {
    if (column.name !== null) {
      const folded = foldIdentifier(column.name)
      columns.set(folded, columns.has(folded) ? 'ambiguous' : column)
    }
  }
  byName.set(relation, columns)
  return columns
}

function rowidOf(relations: readonly Relation[], folded: string): Typed | null {
  if (folded !== 'rowid' && folded !== '_rowid_' && folded !== 'oid') {
    return null
  }
  const [only] = relations
  return relations.length === 1 && only !== undefined ? only.rowid : null
}
