import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import type { NamedWindow, OrderTerm, WindowSpecification } from '../parse/syntax.js'
import { assertComparable, asValue, isColumn, type Typed } from '../typed.js'
import type { CoreContext, SortTerm, WindowTerms } from './core-context.js'
import { compileExpression } from './expression.js'

/** The window with everything it takes from the named windows that it builds on. */
export function resolveWindow(
  window: WindowSpecification,
  named: readonly NamedWindow[],
): WindowSpecification {
  if (window.base === null) {
    return window
  }
  const name = foldIdentifier(window.base)
  const found = named.find((entry) => foldIdentifier(entry.name) === name)
  if (found === undefined) {
    return keep('window not found')
  }
  const base = resolveWindow(
    found.window,
    named.filter((entry) => entry !== found),
  )
  if (window.isName) {
    return base
  }
  if (base.frame !== null) {
    keep('window based on one with a frame')
  }
  const orderBy = base.orderBy.length > 0 ? base.orderBy : window.orderBy
  return { ...window, base: null, partitionBy: base.partitionBy, orderBy }
}

export function compileWindowTerms(window: WindowSpecification, core: CoreContext): WindowTerms {
  const partitionBy = window.partitionBy
    .map((item) => asValue(compileExpression(item, core)))
    .filter((value) => !value.constant)
  for (const value of partitionBy) {
    assertSortable(value, 'partition')
  }
  return { partitionBy, orderBy: compileSortTerms(window.orderBy, core) }
}

/** Terms without a column sort nothing. */
export function compileSortTerms(
  terms: readonly OrderTerm[],
  core: CoreContext,
): readonly SortTerm[] {
  return terms
    .map((term) => sortTerm(term, asValue(compileExpression(term.expression, core))))
    .filter((term) => !term.value.constant)
}

export function sortTerm(term: OrderTerm, value: SortTerm['value']): SortTerm {
  assertSortable(value, 'order by')
  const nulls = term.nulls ?? (term.descending ? 'last' : 'first')
  return { value, descending: term.descending, nulls }
}

/**
 * DuckDB reads a column that it sorted by back from the sort key, where -0.0 is 0.0. An expression is
 * computed for the sort alone; one that a derived table has computed is a column.
 */
export function assertSortable(value: Typed, where: string): void {
  assertComparable(value, where)
  if (value.signedZero && isColumn(value)) {
    keep(`${where} a signed zero`)
  }
}
