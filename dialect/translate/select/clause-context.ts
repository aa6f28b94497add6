import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { CoreContext } from '../bind/core-context.js'
import { Scope } from '../bind/scope.js'
import { keep } from '../keep.js'
import type { SelectCore } from '../parse/syntax.js'
import type { CompiledFrom, Surroundings } from './from.js'
import type { Item } from './items.js'

/** What the clauses of one SELECT have in common. */
export function clauseContext(
  core: SelectCore,
  from: CompiledFrom,
  items: readonly Item[],
  { statement, ctes, outer }: Surroundings,
): CoreContext {
  const scope = new Scope(outer, from.relations, from.merged)
  for (const { expression, name } of items) {
    const folded = foldIdentifier(name ?? '')
    if (expression !== null && name !== null && !scope.aliases.has(folded)) {
      scope.aliases.set(folded, expression)
    }
  }
  return {
    statement,
    scope,
    ctes,
    windows: core.windows,
    seesAliases: true,
    found: { aggregates: false, windows: false },
    windowTail: () => keep('window in another clause'),
    aggregateTail: () => keep('aggregate in another clause'),
    grouped: null,
  }
}
