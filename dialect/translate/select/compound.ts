import { sortSql } from '../bind/core-context.js'
import { noKeys, type OutputColumn } from '../bind/output.js'
import { sortTerm } from '../bind/window.js'
import { keep, orderOfSubquery } from '../keep.js'
import type { PlanNode } from '../order/query-plan.js'
import type { CompoundBody, Select, SelectBody } from '../parse/syntax.js'
import { assertComparable, oneOf } from '../typed.js'
import { positionOf } from './items.js'
import { limitSql } from './limit.js'
import { type CompiledSelect, compileSelect, type SelectContext } from './select.js'

/** Set operations, nested as SQLite does it: always from the left. */
export function compileCompound(
  body: CompoundBody,
  select: Select,
  context: SelectContext,
): CompiledSelect {
  const wantsOrder = context.order === 'rows' || select.limit !== null
  const bag = body.operator === 'union all'
  if (!wantsOrder) {
    return combine(body, select, { ...context, order: 'content' })
  }
  const plain = combine(body, select, { ...context, order: 'content' })
  // VALUES gives one as it is, and DuckDB's sort gives 0.0 back.
  if (plain.columns.some((column) => column.value.signedZero)) {
    keep('order: set operation of a signed zero')
  }
  const terms = orderTerms(select, plain.columns)
  const covered = plain.columns.every((_, i) => terms.some((term) => term.position === i))
  const limit = limitSql(select, context.statement, context.order !== 'rows')
  if (bag && !covered) {
    return inArmOrder(body, select, context, terms, limit)
  }
  // Without ORDER BY, and behind its terms, a merged result is sorted by all its columns.
  const rest = plain.columns.flatMap((_, i) =>
    terms.some((term) => term.position === i) ? [] : [`${i + 1} ASC NULLS FIRST`],
  )
  const sorted = [...terms.map((term) => term.sql), ...rest].join(', ')
  return {
    ...plain,
    sql: `SELECT * FROM (${plain.sql}) AS u ORDER BY ${sorted}${limit}`,
  }
}

interface PositionTerm {
  readonly position: number
  readonly sql: string
}

function orderTerms(select: Select, columns: readonly OutputColumn[]): readonly PositionTerm[] {
  return select.orderBy.map((term) => {
    const position = positionOf(term.expression, columns)
    const column = position === null ? undefined : columns[position]
    if (position === null || column === undefined) {
      return keep('order: set operation by an expression')
    }
    const value = { ...column.value, sql: String(position + 1) }
    return { position, sql: sortSql(sortTerm(term, value)) }
  })
}

function combine(body: CompoundBody, select: Select, context: SelectContext): CompiledSelect {
  const left = arm(body.left, select, context)
  const right = arm(body.right, select, context)
  const columns = merge(left.columns, right.columns, body.operator !== 'union all')
  const operator = body.operator.toUpperCase()
  const keys = () => (body.operator === 'union all' ? [] : [columns.map((_, i) => i)])
  const names = columns.map((_, i) => `c${i}`).join(', ')
  const sql = `SELECT ${names} FROM (${left.sql}) AS l ${operator} SELECT ${names} FROM (${right.sql}) AS r`
  return { sql, columns, keys }
}

function arm(body: SelectBody, select: Select, context: SelectContext): CompiledSelect {
  const bare = { ...select, ctes: [], body, orderBy: [], limit: null, offset: null }
  return compileSelect(bare, context)
}

/** Both arms must hold the same class in each column, or the classes would mix. */
function merge(
  left: readonly OutputColumn[],
  right: readonly OutputColumn[],
  compares: boolean,
): readonly OutputColumn[] {
  if (left.length !== right.length) {
    keep('set operation of unequal width')
  }
  return left.map((column, i) => {
    const a = column.value
    const b = right[i]?.value ?? a
    if (a.type !== b.type && a.type !== 'null' && b.type !== 'null') {
      keep('set operation of mixed types')
    }
    if (compares) {
      assertComparable(a, 'set operation')
      assertComparable(b, 'set operation')
      if (a.signedZero || b.signedZero) {
        keep('set operation of a signed zero')
      }
    }
    const type = a.type === 'null' ? b.type : a.type
    const affinity = a.affinity === b.affinity ? a.affinity : 'unknown'
    return { name: column.name, value: { ...oneOf(`c${i}`, type, [a, b]), affinity } }
  })
}

/** UNION ALL: the first arm's rows in its scan order, then the next arm's. */
function inArmOrder(
  body: CompoundBody,
  select: Select,
  context: SelectContext,
  terms: readonly PositionTerm[],
  limit: string,
): CompiledSelect {
  const bodies = armsOf(body)
  const plans = armPlans(context.plan?.() ?? keep(orderOfSubquery))
  if (plans.length !== bodies.length) {
    keep('order: plan not understood')
  }
  const compiled = bodies.map((one, i) => {
    if (one.kind !== 'core') {
      keep('order: values')
    }
    const plan = () => plans[i] ?? keep('order: plan not understood')
    return arm(one, select, { ...context, plan, numbered: true })
  })
  const columns = compiled
    .map((one) => one.columns)
    .reduce((left, right) => merge(left, right, false))
  const names = columns.map((_, i) => `c${i}`).join(', ')
  const parts = compiled.map((one, i) => `SELECT ${names}, ${i} AS a, r FROM (${one.sql}) AS u${i}`)
  const sorted = [...terms.map((term) => term.sql), 'a ASC', 'r ASC'].join(', ')
  const sql = `SELECT ${names} FROM (${parts.join(' UNION ALL ')}) AS u ORDER BY ${sorted}${limit}`
  return { sql, columns, keys: noKeys }
}

function armsOf(body: SelectBody): readonly SelectBody[] {
  if (body.kind !== 'compound') {
    return [body]
  }
  return body.operator === 'union all'
    ? [...armsOf(body.left), body.right]
    : keep('order: union all of other set operations')
}

function armPlans(nodes: readonly PlanNode[]): readonly (readonly PlanNode[])[] {
  const [only] = nodes
  if (nodes.length !== 1 || only === undefined) {
    return [nodes]
  }
  if (only.detail === 'COMPOUND QUERY') {
    return only.children.map((child) =>
      child.detail === 'LEFT-MOST SUBQUERY' || child.detail === 'UNION ALL'
        ? child.children
        : keep('order: plan not understood'),
    )
  }
  if (only.detail === 'MERGE (UNION ALL)') {
    return only.children.flatMap((child) => armPlans(child.children))
  }
  return [nodes]
}
