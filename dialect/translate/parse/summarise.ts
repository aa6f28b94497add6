import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { Expression, FromItem, Select, SelectBody, WindowSpecification } from './syntax.js'
import { visitExpression } from './visit-expression.js'

/** What a router wants to know of a SELECT before it spends more on it. */
export interface StatementSummary {
  /** Tables and views by their folded names, common tables left out. */
  readonly tables: readonly string[]
  /** It names a schema other than main. */
  readonly foreignSchema: boolean
  /** It has a join, aggregate, grouping, window, CTE, set operation, DISTINCT or subquery. */
  readonly analytic: boolean
  /** Folded names of all functions that are called. */
  readonly functions: ReadonlySet<string>
  /** Folded names of all columns, tables and functions. */
  readonly names: ReadonlySet<string>
  readonly usesLike: boolean
}

/** Aggregates of SQLite; max and min only with one argument. */
const aggregates = new Set([
  'avg',
  'count',
  'group_concat',
  'string_agg',
  'sum',
  'total',
  'json_group_array',
  'json_group_object',
  'jsonb_group_array',
  'jsonb_group_object',
  'median',
  'percentile',
  'percentile_cont',
  'percentile_disc',
])

export function isAggregate(name: string, argumentCount: number): boolean {
  return aggregates.has(name) || ((name === 'max' || name === 'min') && argumentCount === 1)
}

export function summarise(select: Select): StatementSummary {
  const found = {
    tables: new Set<string>(),
    foreignSchema: false,
    analytic: false,
    functions: new Set<string>(),
    names: new Set<string>(),
    usesLike: false,
  }
  summariseSelect(select, found, new Set())
  return { ...found, tables: [...found.tables] }
}

interface Found {
  readonly tables: Set<string>
  foreignSchema: boolean
  analytic: boolean
  readonly functions: Set<string>
  readonly names: Set<string>
  usesLike: boolean
}

function summariseSelect(select: Select, found: Found, outer: ReadonlySet<string>): void {
  const known = new Set(outer)
  for (const cte of select.ctes) {
    known.add(foldIdentifier(cte.name))
  }
  for (const cte of select.ctes) {
    found.analytic = true
    summariseSelect(cte.select, found, known)
  }
  summariseBody(select.body, found, known)
  for (const term of select.orderBy) {
    note(term.expression, found, known)
  }
  note(select.limit, found, known)
  note(select.offset, found, known)
}

function summariseBody(body: SelectBody, found: Found, known: ReadonlySet<string>): void {
  if (body.kind === 'compound') {
    found.analytic = true
    summariseBody(body.left, found, known)
    summariseBody(body.right, found, known)
    return
  }
  if (body.kind === 'values') {
    for (const item of body.rows.flat()) {
      note(item, found, known)
    }
    return
  }
  found.analytic ||= body.distinct || body.groupBy.length > 0 || body.having !== null
  for (const column of body.columns) {
    note(column.kind === 'star' ? null : column.expression, found, known)
  }
  summariseFrom(body.from, found, known)
  note(body.where, found, known)
  for (const term of body.groupBy) {
    note(term, found, known)
  }
  note(body.having, found, known)
  for (const { window } of body.windows) {
    noteWindow(window, found, known)
  }
}

function summariseFrom(from: FromItem | null, found: Found, known: ReadonlySet<string>): void {
  if (from === null) {
    return
  }
  if (from.kind === 'join') {
    found.analytic = true
    summariseFrom(from.left, found, known)
    summariseFrom(from.right, found, known)
    note(from.on, found, known)
    return
  }
  if (from.kind === 'subquery') {
    found.analytic = true
    summariseSelect(from.select, found, known)
    return
  }
  const name = foldIdentifier(from.name)
  found.names.add(name)
  if (from.schema !== null && foldIdentifier(from.schema) !== 'main') {
    found.foreignSchema = true
  }
  if (from.schema !== null || !known.has(name)) {
    found.tables.add(name)
  }
}

function note(expression: Expression | null, found: Found, known: ReadonlySet<string>): void {
  if (expression === null) {
    return
  }
  visitExpression(expression, {
    expression: (node) => {
      if (node.kind === 'column') {
        found.names.add(foldIdentifier(node.name))
      } else if (node.kind === 'pattern') {
        found.usesLike ||= node.operator === 'like'
      } else if (node.kind === 'function') {
        found.functions.add(node.name)
        found.names.add(node.name)
        found.analytic ||= node.over !== null || isAggregate(node.name, node.items.length)
        found.usesLike ||= node.name === 'like'
      }
    },
    select: (select) => {
      found.analytic = true
      summariseSelect(select, found, known)
    },
  })
}

function noteWindow(window: WindowSpecification, found: Found, known: ReadonlySet<string>): void {
  for (const item of window.partitionBy) {
    note(item, found, known)
  }
  for (const term of window.orderBy) {
    note(term.expression, found, known)
  }
}
