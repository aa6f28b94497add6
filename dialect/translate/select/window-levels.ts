import { type CoreContext, type SortTerm, sortSql, type WindowTerms } from '../bind/core-context.js'
import { compileWindowTerms, resolveWindow } from '../bind/window.js'
import type { Expression, FunctionCall, OrderTerm, WindowSpecification } from '../parse/syntax.js'
import { visitExpression } from '../parse/visit-expression.js'
import type { Item } from './items.js'

/**
 * SQLite evaluates window functions level by level: those that share the first function's window
 * come last, over the rows of a subquery that evaluates the others. Every level sorts its input
 * by partition and order and leaves the rows so.
 */
export interface WindowLevel {
  readonly calls: ReadonlySet<FunctionCall>
  readonly terms: WindowTerms
  /** Directions of all its sort terms, constants included. */
  readonly directions: readonly boolean[]
}

/** The levels, the one that is evaluated last first. */
export function windowLevels(
  items: readonly Item[],
  orderBy: readonly OrderTerm[],
  core: CoreContext,
): readonly WindowLevel[] {
  const levels = new Map<string, WindowLevel & { readonly calls: Set<FunctionCall> }>()
  for (const call of windowCalls(items, orderBy)) {
    if (call.over === null) {
      continue
    }
    const window = resolveWindow(call.over, core.windows)
    const terms = compileWindowTerms(window, core)
    const key = `${keyOf(terms)}|${frameKey(call.name, window)}`
    const level = levels.get(key)
    if (level === undefined) {
      const directions = [
        ...window.partitionBy.map(() => false),
        ...window.orderBy.map((term) => term.descending),
      ]
      levels.set(key, { calls: new Set([call]), terms, directions })
    } else {
      level.calls.add(call)
    }
  }
  return [...levels.values()]
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

function windowCalls(
  items: readonly Item[],
  orderBy: readonly OrderTerm[],
): readonly FunctionCall[] {
  const calls: FunctionCall[] = []
  const nodes = [...items.map((item) => item.expression), ...orderBy.map((term) => term.expression)]
  for (const node of nodes) {
    if (node !== null) {
      visitExpression(node, {
        expression: (inner) => {
          if (inner.kind === 'function' && inner.over !== null) {
            calls.push(inner)
          }
        },
        select: () => undefined,
      })
    }
  }
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
