import {
  ascending,
  type CoreContext,
  type Grouped,
  type SortTerm,
  sortSql,
} from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import { keep } from '../keep.js'
import { Determined, type RowFacts } from '../order/determined.js'
import { isAggregate } from '../parse/summarise.js'
import type { Expression, FunctionCall } from '../parse/syntax.js'
import { visitExpression } from '../parse/visit-expression.js'
import { assertComparable, asValue, raiseWhen, type Typed } from '../typed.js'

export interface GroupedRows {
  readonly groups: readonly Typed[]
  readonly facts: RowFacts
  /** Everything that is evaluated for a group: result columns, HAVING, ORDER BY. */
  readonly expressions: readonly Expression[]
  /** How a row's own expressions are compiled. */
  readonly row: CoreContext
  readonly tail: (terms: readonly SortTerm[]) => readonly SortTerm[]
}

/**
 * What a column is in a row that stands for a group and has no such key. Where all rows of the group
 * agree it is that value. Otherwise SQLite takes it from the row with the one max() or min(), the
 * first it meets (https://sqlite.org/lang_select.html#bareagg), or else from the group's first row.
 */
export function groupedRows({ groups, facts, expressions, row, tail }: GroupedRows): Grouped {
  const keys = new Set(groups.map((group) => group.sql))
  let known: Determined | undefined
  let taken: Take | undefined
  return {
    hasExpressions: groups.some((group) => group.sql.includes('(')),
    isKey: (sql) => keys.has(sql),
    pick: (column) => {
      known ??= new Determined(keys, facts)
      if (known.has(column.sql)) {
        return { ...column, sql: `first(${column.sql})` }
      }
      taken ??= takeFrom(expressions.flatMap(extremesIn), row, tail)
      return taken(column)
    },
  }
}

type Take = (column: Typed) => Typed

function takeFrom(
  calls: readonly FunctionCall[],
  row: CoreContext,
  tail: GroupedRows['tail'],
): Take {
  const extremes = new Map(
    calls.map((call) => {
      const [item] = call.items
      const value = item === undefined ? keep('bare column') : asValue(compileExpression(item, row))
      return [`${call.name} ${value.sql}`, { call, value }] as const
    }),
  )
  if (extremes.size > 1) {
    return keep('bare column beside several extremes')
  }
  const [only] = extremes.values()
  if (only === undefined) {
    const order = tail([]).map(sortSql).join(', ')
    return (column) => ({ ...column, sql: `first(${column.sql} ORDER BY ${order})` })
  }
  const { call, value } = only
  if (call.filter !== null || call.distinct || value.signedZero) {
    return keep('bare column beside a filtered extreme')
  }
  assertComparable(value, call.name)
  const descending = call.name === 'max'
  const best: SortTerm = { ...ascending(value), descending, nulls: 'last' }
  const order = [best, ...tail([best])].map(sortSql).join(', ')
  const isNone = `((count(${value.sql}) = 0) AND (count(*) > 0))`
  return (column) => ({
    ...column,
    sql: raiseWhen(isNone, `first(${column.sql} ORDER BY ${order})`),
  })
}

function extremesIn(expression: Expression): readonly FunctionCall[] {
  return aggregatesIn(expression).filter(({ name }) => name === 'max' || name === 'min')
}

/** Calls of aggregates in an expression, those in subqueries left out. */
export function aggregatesIn(expression: Expression): readonly FunctionCall[] {
  if (expression.kind === 'column') {
    return []
  }
  const calls: FunctionCall[] = []
  visitExpression(expression, {
    expression: (node) => {
      if (
        node.kind === 'function' &&
        node.over === null &&
        (node.star || isAggregate(node.name, node.items.length))
      ) {
        calls.push(node)
      }
    },
    select: () => undefined,
  })
  return calls
}
