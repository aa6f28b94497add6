import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { CoreContext } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import type { OutputColumn } from '../bind/output.js'
import type { Relation, RelationColumn } from '../bind/scope.js'
import { keep } from '../keep.js'
import type { Expression, SelectCore } from '../parse/syntax.js'
import { asUnsignedZero, asValue } from '../typed.js'
import type { CompiledFrom } from './from.js'

/** A result column: an expression of the text, or one that `*` stands for. */
export interface Item {
  readonly name: string | null
  readonly expression: Expression | null
  readonly column: RelationColumn | null
}

export function expandItems(core: SelectCore, from: CompiledFrom): readonly Item[] {
  const items: Item[] = []
  for (const column of core.columns) {
    if (column.kind === 'star') {
      items.push(...expandStar(column.table, from))
    } else {
      const { expression, alias } = column
      const name = alias ?? (expression.kind === 'column' ? expression.name : null)
      items.push({ name, expression, column: null })
    }
  }
  return items
}

function expandStar(table: string | null, from: CompiledFrom): readonly Item[] {
  const relations =
    table === null
      ? from.relations
      : from.relations.filter((relation) => relation.name === foldIdentifier(table))
  if (relations.length === 0 || (table !== null && relations.length > 1)) {
    keep('* of an unknown table')
  }
  const seen = new Set<string>()
  return relations.flatMap((relation) =>
    relation.columns.flatMap((column): readonly Item[] => {
      const merged = foldIdentifier(column.name ?? '')
      if (table !== null) {
        assertOwnColumn(relation, merged, from)
      }
      const value = table === null ? from.merged.get(merged) : undefined
      if (value === undefined) {
        return [{ name: column.name, expression: null, column }]
      }
      if (seen.has(merged)) {
        return []
      }
      seen.add(merged)
      return [
        { name: column.name, expression: null, column: { name: column.name, value: () => value } },
      ]
    }),
  )
}

/**
 * What `x.*` left of a RIGHT or FULL JOIN shows for a column that USING names depends on SQLite's
 * version: 3.53 takes the merged column, 3.54 that of x.
 */
function assertOwnColumn(relation: Relation, name: string, from: CompiledFrom): void {
  const isOuter = from.steps.some(({ type }) => type === 'right' || type === 'full')
  if (isOuter && from.merged.has(name) && from.relations.at(-1) !== relation) {
    keep('* of one table in an outer join with using')
  }
}

export function compileItem(item: Item, core: CoreContext): OutputColumn {
  const value =
    item.expression === null ? item.column?.value() : compileExpression(item.expression, core)
  if (item.expression === null) {
    core.scope.localUses += 1
  }
  // DuckDB's sort gives -0.0 back as 0.0, so none may be in a result.
  const sole = asUnsignedZero(asValue(value ?? keep('column not found')))
  return { name: item.name, value: sole }
}

/** An ordinal, or a name: in ORDER BY the names of results come before those of columns. */
export function positionOf(
  node: Expression,
  items: readonly { readonly name: string | null; readonly expression?: Expression | null }[],
): number | null {
  if (node.kind === 'integer') {
    const position = Number(node.text) - 1
    return items[position] === undefined ? keep('ordinal out of range') : position
  }
  if (isHiddenOrdinal(node)) {
    keep('ordinal in disguise')
  }
  if (node.kind !== 'column' || node.table !== null) {
    return null
  }
  const folded = foldIdentifier(node.name)
  const position = items.findIndex(
    (item) =>
      item.expression !== null && item.name !== null && foldIdentifier(item.name) === folded,
  )
  return position < 0 ? null : position
}

/**
 * SQLite takes `+1`, `- -1` and `1 COLLATE x` for ordinals as well, and even `'a' NOTNULL`, which its
 * parser makes the number 1.
 */
function isHiddenOrdinal(node: Expression): boolean {
  const isSigned = node.kind === 'unary' && (node.operator === '+' || node.operator === '-')
  if (!isSigned && node.kind !== 'collate' && node.kind !== 'null-test') {
    return false
  }
  return isLiteral(node.operand) || isHiddenOrdinal(node.operand)
}

function isLiteral({ kind }: Expression): boolean {
  return kind === 'integer' || kind === 'real' || kind === 'text' || kind === 'blob'
}
