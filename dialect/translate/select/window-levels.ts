import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { type CoreContext, type SortTerm, sortSql, type WindowTerms } from '../bind/core-context.js'
import { compileWindowTerms, resolveWindow } from '../bind/window.js'
import type { Expression, FunctionCall, OrderTerm, WindowSpecification } from '../parse/syntax.js'
import { visitExpression } from '../parse/visit-expression.js'
import { type Item, positionOf } from './items.js'

/**
 * SQLite evaluates window functions level by level: those that share the first function's window
 * come last, over the rows of a subquery that evaluates the others. Every level sorts its input
 * by partition and order and leaves the rows so.
 */
export interface WindowLevel {
  /** Same for same windows. */
  readonly key: string
  readonly calls: ReadonlySet<FunctionCall>
  readonly terms: WindowTerms
  /** Directions of all its sort terms, constants included. */
  readonly directions: readonly boolean[]
}

/**
 * The levels, the one that is evaluated last first.
 *
 * ORDER BY that names a result with a window function makes SQLite copy the function. A copy
 * never shares the outermost level.
 */
export function windowLevels(
  items: readonly Item[],
  orderBy: readonly OrderTerm[],
  core: CoreContext,
): readonly WindowLevel[] {
  const levels: (WindowLevel & { readonly calls: Set<FunctionCall> })[] = []
  const add = (call: FunctionCall, over: WindowSpecification, from: number) => {
    const window = resolveWindow(over, core.windows)
    const terms = compileWindowTerms(window, core)
    const key = `${keyOf(terms)}|${frameKey(call.name, window)}`
    const level = levels.slice(from).find((known) => known.key === key)
    if (level !== undefined) {
      level.calls.add(call)
      return
    }
    const directions = [
      ...window.partitionBy.map(() => false),
      ...window.orderBy.map((term) => term.descending),
    ]
    levels.push({ key, calls: new Set([call]), terms, directions })
  }
  for (const { expression } of items) {
    for (const [call, over] of callsIn(expression)) {
      add(call, over, 0)
    }
  }
  for (const term of orderBy) {
    const position = positionOf(term.expression, items)
    const copied = position === null ? null : (items[position]?.expression ?? null)
    for (const [call, over] of callsIn(copied)) {
      add(call, over, 1)
    }
  }
  return levels
}

/**
 * ORDER BY computes with a window function, or copies one of several windows: in which order
 * SQLite evaluates them then is not modelled.
 */
export function hasUncertainLevels(
  items: readonly Item[],
  orderBy: readonly OrderTerm[],
  levels: readonly WindowLevel[],
): boolean {
  const windowed = new Set(
    items
      .filter((item) => callsIn(item.expression).length > 0)
      .map((item) => foldIdentifier(item.name ?? '')),
  )
  const several = new Set(levels.map((level) => level.key)).size > 1
  return orderBy.some(({ expression }) => {
    const position = positionOf(expression, items)
    if (position !== null) {
      return several && callsIn(items[position]?.expression ?? null).length > 0
    }
    let found = callsIn(expression).length > 0
    visitExpression(expression, {
      expression: (node) => {
        found ||= node.kind === 'column' && windowed.has(foldIdentifier(node.name))
      },
      select: () => undefined,
    })
    return found
  })
}

/** What the levels sort by, outermost first. */
export function levelOrder(levels: readonly WindowLevel[]): readonly SortTerm[] {
  return levels.flatMap((level) => windowSort(level.terms))
}

export function windowSort(terms: WindowTerms): readonly SortTerm[] {
  const partition = terms.partitionBy.map(
    (value): SortTerm => ({ value, descending: false, nulls: 'first' }),
  )
  return [...partition, ...terms.orderBy]
}

function callsIn(
  expression: Expression | null,
): readonly (readonly [FunctionCall, WindowSpecification])[] {
  if (expression === null || expression.kind === 'column') {
    return []
  }
  const calls: [FunctionCall, WindowSpecification][] = []
  visitExpression(expression, {
    expression: (node) => {
      if (node.kind === 'function' && node.over !== null) {
        calls.push([node, node.over])
      }
    },
    select: () => undefined,
  })
  return calls
}

function keyOf(terms: WindowTerms): string {
  return `${terms.partitionBy.map((value) => value.sql).join()}|${terms.orderBy.map(sortSql).join()}`
}

/** Frames that SQLite gives to its own functions, whatever is written. */
const ownFrames: Readonly<Record<string, string>> = {
  row_number: 'rows,unbounded preceding,,current row,,',
  rank: 'range,unbounded preceding,,current row,,',
  dense_rank: 'range,unbounded preceding,,current row,,',
  percent_rank: 'groups,current row,,unbounded following,,',
  cume_dist: 'groups,following,1,unbounded following,,',
  ntile: 'rows,current row,,unbounded following,,',
  lead: 'rows,unbounded preceding,,unbounded following,,',
  lag: 'rows,unbounded preceding,,current row,,',
}

function frameKey(name: string, { frame }: WindowSpecification): string {
  const own = ownFrames[name]
  if (own !== undefined) {
    return own
  }
  if (frame === null) {
    return 'range,unbounded preceding,,current row,,'
  }
  const { unit, start, end, exclude } = frame
  const parts = [
    unit,
    start.kind,
    offsetKey(start.offset),
    end?.kind ?? 'current row',
    offsetKey(end?.offset ?? null),
    exclude === 'no others' ? '' : (exclude ?? ''),
  ]
  return parts.join()
}

function offsetKey(offset: Expression | null): string {
  if (offset === null) {
    return ''
  }
  return offset.kind === 'integer' ? offset.text : `${offset.kind} ${offset.start}`
}
