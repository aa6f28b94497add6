import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { noKeys, type OutputColumn } from '../bind/output.js'
import { keep } from '../keep.js'
import { summarise } from '../parse/summarise.js'
import type { CommonTable, Select } from '../parse/syntax.js'
import { type CompiledSelect, compileSelect, type SelectContext } from './select.js'

/**
 * A common table that reads itself: one arm that begins, one that goes on. The columns' types are
 * those of the first arm, and the second must keep them.
 */
export function compileRecursive(
  cte: CommonTable,
  emitted: string,
  context: SelectContext,
): CompiledSelect {
  const { select } = cte
  const { body } = select
  const name = foldIdentifier(cte.name)
  if (
    body.kind !== 'compound' ||
    (body.operator !== 'union' && body.operator !== 'union all') ||
    body.left.kind === 'compound' ||
    select.orderBy.length > 0 ||
    select.limit !== null ||
    select.ctes.length > 0
  ) {
    return keep('recursion of another shape')
  }
  const arm = (core: typeof body.left): Select => ({ ...select, body: core })
  if (summarise(arm(body.left)).tables.includes(name)) {
    keep('recursion of another shape')
  }
  // Without a condition SQLite's lazy evaluation could end where DuckDB's would not.
  if (
    body.right.kind !== 'core' ||
    (body.right.where === null && body.right.from?.kind !== 'join')
  ) {
    keep('recursion without a condition')
  }
  const first = compileSelect(arm(body.left), context)
  const columns = first.columns.map((column, i) => assumed(column, cte.columns?.[i]))
  const known = { name, emitted, columns, keys: noKeys, isNumbered: false }
  const next = compileSelect(arm(body.right), { ...context, ctes: [...context.ctes, known] })
  if (
    next.columns.length !== columns.length ||
    next.columns.some((column, i) => !keepsType(column, columns[i]))
  ) {
    keep('recursion changes a type')
  }
  const operator = body.operator.toUpperCase()
  return { sql: `${first.sql} ${operator} ${next.sql}`, columns, keys: noKeys }
}

/** Nothing is known of later rounds but the class. */
function assumed(column: OutputColumn, name: string | undefined): OutputColumn {
  const { value } = column
  if (value.collated || value.signedZero || value.type === 'null' || value.type === 'num') {
    keep('recursion over a doubtful column')
  }
  const bound = value.type === 'int' ? 2 ** 63 : Number.POSITIVE_INFINITY
  return {
    name: name ?? column.name,
    value: {
      ...value,
      bound,
      ascii: false,
      read: null,
      literal: false,
      signedZero: value.type === 'real',
    },
  }
}

function keepsType(column: OutputColumn, first: OutputColumn | undefined): boolean {
  const { type, collated, affinity } = column.value
  return (
    type === first?.value.type &&
    !collated &&
    (type !== 'text' || affinity === first.value.affinity)
  )
}
