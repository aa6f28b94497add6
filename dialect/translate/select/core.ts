import { type CoreContext, type SortTerm, sortSql, type WindowTerms } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import type { OutputColumn } from '../bind/output.js'
import { sortTerm } from '../bind/window.js'
import { keep } from '../keep.js'
import { Determined, type RowFacts } from '../order/determined.js'
import { equalitiesOf } from '../order/equalities.js'
import type { Expression, FunctionCall, OrderTerm, Select, SelectCore } from '../parse/syntax.js'
import { isCollecting } from '../rules/collecting-aggregates.js'
import { asCondition, assertComparable, asUnsignedZero, asValue, type Typed } from '../typed.js'
import { clauseContext } from './clause-context.js'
import { type CompiledFrom, compileFrom } from './from.js'
import { aggregatesIn, groupedRows } from './grouping.js'
import { compileItem, expandItems, type Item, positionOf } from './items.js'
import { limitSql } from './limit.js'
import { aggregateTail, baseOrder, requireSorting } from './row-order.js'
import type { CompiledSelect, SelectContext } from './select.js'
import {
  hasUncertainLevels,
  levelOrder,
  type WindowLevel,
  windowLevels,
  windowSort,
} from './window-levels.js'

/** An ORDER BY term, and the result column that it names, if it does. */
export interface OutputOrder {
  readonly term: SortTerm
  readonly position: number | null
}

const noFrom: CompiledFrom = {
  sql: '',
  relations: [],
  steps: [],
  merged: new Map(),
  conditions: [],
  equalities: [],
}

/** One SELECT without set operations, with the ORDER BY and LIMIT that follow it. */
export function compileCore(
  core: SelectCore,
  select: Select,
  context: SelectContext,
): CompiledSelect {
  const { statement, ctes, outer } = context
  const wantsOrder = showsOrder(core)
  const around = { statement, ctes, outer, wantsOrder }
  const surroundings = context.ordersSubqueries === true ? { ...around, inOrder: context } : around
  const from = core.from === null ? noFrom : compileFrom(core.from, surroundings)
  const items = expandItems(core, from)
  const bare = clauseContext(core, from, items, context)
  const conditions = [
    ...from.conditions,
    ...(core.where === null ? [] : [asCondition(compileExpression(core.where, bare))]),
  ]
  const where = conditions.length === 0 ? null : conditions.join(' AND ')
  const equalities = core.where === null ? [] : equalitiesOf(core.where, bare)
  const facts: RowFacts = { steps: from.steps, equalities: [...from.equalities, ...equalities] }
  const groups = core.groupBy.map((node) => compileGroup(node, items, bare))
  const row = { ...bare, seesAliases: false }
  const levels = windowLevels(items, select.orderBy, row)
  const base = () =>
    hasUncertainLevels(items, select.orderBy, levels)
      ? keep('order: by a window among several')
      : baseOrder({ context, facts, groups, select, levels })
  const orderTail = (terms: readonly SortTerm[]) =>
    aggregateTail(terms, { context, facts, groups, select, levels })
  const results = [...items.map((item) => item.expression), core.having].filter(
    (node) => node !== null,
  )
  const sortings = select.orderBy.map((term) => term.expression)
  const expressions = [...results, ...sortings]
  const isGrouped = groups.length > 0 || hasAggregate(results)
  if (!isGrouped && hasAggregate(sortings)) {
    // SQLite refuses it, or leaves it out behind a key that says all and groups nothing.
    keep('order: by an aggregate that is not selected')
  }
  const full: CoreContext = {
    ...row,
    windowTail: (call, terms) => windowTail(call, terms, { facts, groups, levels, context, base }),
    aggregateTail: orderTail,
    grouped: isGrouped ? groupedRows({ groups, facts, row, tail: orderTail, expressions }) : null,
  }
  const columns = items.map((item) => compileItem(item, full))
  const having =
    core.having === null
      ? null
      : asCondition(compileExpression(core.having, { ...full, seesAliases: true }))
  const sorts = context.order === 'rows' || select.limit !== null
  const isDerived = facts.steps.some(({ relation }) => relation.table === null)
  if (sorts && isDerived && groups.length > 0 && select.orderBy.length > 0) {
    requireSorting({ context, facts, groups, select, levels })
  }
  const aggregated = bare.found.aggregates
  const order = select.orderBy.flatMap((term) => compileOrder(term, items, columns, full))
  if (!sorts && bare.found.aggregates !== aggregated) {
    keep('order: by an aggregate in a subquery')
  }
  const single = groups.length === 0 && bare.found.aggregates
  const total = single || isTotal(order, facts, groups, columns)
  const parts = { columns, from, where, groups, having, core }
  const limit = limitSql(select, statement, context.order !== 'rows' || context.numbered === true)
  const keys = () => outputKeys(core, columns, groups, facts, single, levels)
  if (!sorts && context.numbered !== true) {
    const plain = needsFilter(parts) ? filtered(parts, []) : body(parts, core.distinct, '')
    return { sql: `${plain}${limit}`, columns, keys }
  }
  const tail = total ? [] : [...levelOrder(levels), ...base()]
  if (!total && context.order !== 'rows') {
    keep('order: limit in a subquery')
  }
  const sql =
    core.distinct && !total
      ? distinctInOrder(parts, order, tail, context)
      : ordered(parts, order, tail, context)
  const byNumber = context.numbered === true && limit !== ''
  return {
    sql: `${sql}${byNumber ? ` ORDER BY ${columns.length + 1}` : ''}${limit}`,
    columns,
    keys,
  }
}

function hasAggregate(expressions: readonly Expression[]): boolean {
  return expressions.some((node) => aggregatesIn(node).length > 0)
}

/** Some aggregate shows the order in which it meets the rows. */
function showsOrder(core: SelectCore): boolean {
  return core.columns.some(
    (column) =>
      column.kind === 'expression' &&
      aggregatesIn(column.expression).some((call) => isCollecting(call.name)),
  )
}

/** Rows that ORDER BY leaves equal are the same, or there are none. */
function isTotal(
  order: readonly OutputOrder[],
  facts: RowFacts,
  groups: readonly Typed[],
  columns: readonly OutputColumn[],
): boolean {
  // Equal reals may still be 0.0 and -0.0.
  const given = order
    .filter((entry) => !entry.term.value.signedZero)
    .map((entry) => entry.term.value.sql)
  const known = new Determined(given, facts)
  return (
    (groups.length > 0 ? groups.every((group) => known.has(group.sql)) : known.wholeRow) ||
    columns.every((column) => known.has(column.value.sql) || column.value.constant)
  )
}

interface Parts {
  readonly columns: readonly OutputColumn[]
  readonly from: CompiledFrom
  readonly where: string | null
  readonly groups: readonly Typed[]
  readonly having: string | null
  readonly core: SelectCore
}

function ordered(
  parts: Parts,
  order: readonly OutputOrder[],
  tail: readonly SortTerm[],
  context: SelectContext,
): string {
  const terms = [...order.map((entry) => entry.term), ...tail].map(sortSql)
  if (context.numbered === true) {
    const over = terms.length === 0 ? '' : `ORDER BY ${terms.join(', ')}`
    if (parts.core.distinct || over.includes(' OVER (')) {
      keep('order: distinct or window in a numbered part')
    }
    return body(parts, false, `, row_number() OVER (${over}) AS r`)
  }
  const sorted = parts.core.distinct ? order.map((entry) => positional(entry)) : terms
  if (needsFilter(parts)) {
    return filtered(parts, sorted)
  }
  const sql = body(parts, parts.core.distinct, '')
  return sorted.length === 0 ? sql : `${sql} ORDER BY ${sorted.join(', ')}`
}

/** DuckDB binds no lambda over an aggregate in HAVING, as exact sums have. */
function needsFilter({ having, columns }: Parts): boolean {
  return (
    having?.includes(' lambda ') === true &&
    !columns.some((column) => column.value.sql.includes(' OVER ('))
  )
}

/** HAVING as a column, by which the groups are filtered around. */
function filtered(parts: Parts, sorted: readonly string[]): string {
  const { having, core, columns } = parts
  const direction = / (?:ASC|DESC) NULLS (?:FIRST|LAST)$/
  const terms = sorted.map((term, i) => {
    const sql = term.replace(direction, '')
    const way = direction.exec(term)?.[0] ?? ''
    return /^\d+$/.test(sql)
      ? { item: '', outer: term }
      : { item: `, ${sql} AS o${i}`, outer: `o${i}${way}` }
  })
  const extra = `${terms.map((term) => term.item).join('')}, ${having} AS h`
  const inner = body({ ...parts, having: null }, core.distinct, extra, false)
  const names = columns.map((_, i) => `c${i}`).join(', ')
  const order = terms.length === 0 ? '' : ` ORDER BY ${terms.map((term) => term.outer).join(', ')}`
  return `SELECT ${core.distinct ? 'DISTINCT ' : ''}${names} FROM (${inner}) AS f WHERE h${order}`
}

/** DISTINCT keeps the first of equal rows in scan order, and their places. */
function distinctInOrder(
  parts: Parts,
  order: readonly OutputOrder[],
  tail: readonly SortTerm[],
  context: SelectContext,
): string {
  if (context.numbered === true) {
    keep('order: distinct in a set operation')
  }
  const over = tail.map(sortSql).join(', ')
  const names = parts.columns.map((_, i) => `c${i}`).join(', ')
  const inner = body(parts, true, `, row_number() OVER (ORDER BY ${over}) AS r`, false)
  const sorted = [...order.map(positional), 'min(r) ASC'].join(', ')
  return `SELECT ${names} FROM (${inner}) AS d GROUP BY ${names} ORDER BY ${sorted}`
}

function positional(entry: OutputOrder): string {
  const { position, term } = entry
  return position === null
    ? keep('order: distinct by another value')
    : sortSql({ ...term, value: { ...term.value, sql: String(position + 1) } })
}

function body(parts: Parts, comparable: boolean, extra: string, distinct = comparable): string {
  const { columns, from, where, groups, having } = parts
  const items = columns.map((column, i) => {
    if (comparable) {
      assertComparable(column.value, 'distinct')
    }
    const value = comparable ? asUnsignedZero(column.value) : column.value
    return `${value.sql} AS c${i}`
  })
  const keys = groups.map((group) => group.sql).join(', ')
  return [
    `SELECT ${distinct ? 'DISTINCT ' : ''}${items.join(', ')}${extra}`,
    from.sql === '' ? '' : ` FROM ${from.sql}`,
    where === null ? '' : ` WHERE ${where}`,
    groups.length === 0 ? '' : ` GROUP BY ${keys}`,
    having === null ? '' : ` HAVING ${having}`,
  ].join('')
}

function compileGroup(node: Expression, items: readonly Item[], core: CoreContext): Typed {
  const target = node.kind === 'integer' ? items[Number(node.text) - 1] : undefined
  const value =
    target === undefined
      ? asValue(compileExpression(node, core))
      : compileItem(target, { ...core, seesAliases: false }).value
  assertComparable(value, 'group by')
  if (value.signedZero || value.constant) {
    keep(value.constant ? 'group by a constant' : 'group by a signed zero')
  }
  return value
}

function compileOrder(
  term: OrderTerm,
  items: readonly Item[],
  columns: readonly OutputColumn[],
  core: CoreContext,
): readonly OutputOrder[] {
  const position = positionOf(term.expression, items)
  const named = position === null ? undefined : columns[position]
  const value =
    named?.value ?? asValue(compileExpression(term.expression, { ...core, seesAliases: true }))
  if (value.constant) {
    return []
  }
  const same = columns.findIndex((column) => column.value.sql === value.sql)
  return [{ term: sortTerm(term, value), position: position ?? (same < 0 ? null : same) }]
}

function windowTail(
  call: FunctionCall,
  terms: WindowTerms,
  around: {
    readonly facts: RowFacts
    readonly groups: readonly Typed[]
    readonly levels: readonly WindowLevel[]
    readonly context: SelectContext
    readonly base: () => readonly SortTerm[]
  },
): readonly SortTerm[] {
  const { facts, groups, levels, context, base } = around
  const given = windowSort(terms).map((term) => term.value.sql)
  const known = new Determined(given, facts)
  const total = groups.length > 0 ? groups.every((group) => known.has(group.sql)) : known.wholeRow
  if (total) {
    return []
  }
  const at = levels.findIndex((level) => level.calls.has(call))
  if (context.order !== 'rows' || at < 0) {
    keep('order: ties inside a window')
  }
  return [...levelOrder(levels.slice(at + 1)), ...base()]
}

function outputKeys(
  core: SelectCore,
  columns: readonly OutputColumn[],
  groups: readonly Typed[],
  facts: RowFacts,
  single: boolean,
  levels: readonly WindowLevel[],
): readonly (readonly number[])[] {
  const keys: number[][] = [...numberedKeys(core, columns, levels)]
  if (single) {
    keys.push([])
  }
  if (groups.length > 0) {
    const positions = groups.map((group) =>
      columns.findIndex((column) => column.value.sql === group.sql),
    )
    if (positions.every((position) => position >= 0)) {
      keys.push(positions)
    }
  } else if (facts.steps.length > 0 && !single) {
    columns.forEach((column, i) => {
      if (new Determined([column.value.sql], facts).wholeRow) {
        keys.push([i])
      }
    })
  }
  if (core.distinct) {
    keys.push(columns.map((_, i) => i))
  }
  return keys
}

/** row_number() is unique within its partition. */
function numberedKeys(
  core: SelectCore,
  columns: readonly OutputColumn[],
  levels: readonly WindowLevel[],
): readonly number[][] {
  if (core.columns.some((column) => column.kind === 'star')) {
    return []
  }
  return core.columns.flatMap((column, i) => {
    const node = column.kind === 'expression' ? column.expression : null
    if (node?.kind !== 'function' || node.name !== 'row_number') {
      return []
    }
    const terms = levels.find((level) => level.calls.has(node))?.terms
    const positions = terms?.partitionBy.map((value) =>
      columns.findIndex((candidate) => candidate.value.sql === value.sql),
    )
    return positions === undefined || positions.includes(-1) ? [] : [[...positions, i]]
  })
}
