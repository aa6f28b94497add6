import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { CoreContext } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import { derivedRelation } from '../bind/output.js'
import { type Relation, Scope } from '../bind/scope.js'
import { tableRelation } from '../bind/table-relation.js'
import { keep } from '../keep.js'
import { type Equality, equalitiesOf } from '../order/equalities.js'
import { parseSelect } from '../parse/parse-select.js'
import type { FromItem, JoinItem, TableItem } from '../parse/syntax.js'
import type { CommonTableEntry, Statement } from '../statement.js'
import type { ViewDefinition } from '../translation.js'
import { asCondition, type Typed } from '../typed.js'
import { flatten } from './flatten.js'
import { commonNames, joinUsing } from './join-using.js'
import { compileSelect, type SelectContext } from './select.js'
import { compileInOrder, inOrder } from './subquery-order.js'

export interface JoinStep {
  readonly relation: Relation
  /** 'first' for the leftmost. */
  readonly type: 'first' | 'inner' | 'left' | 'right' | 'full'
  readonly equalities: readonly Equality[]
}

export interface CompiledFrom {
  /** What follows FROM. */
  readonly sql: string
  readonly relations: readonly Relation[]
  readonly steps: readonly JoinStep[]
  readonly merged: ReadonlyMap<string, Typed>
  /** What WHERE must ask besides its own, and what that fixes: of derived tables taken apart. */
  readonly conditions: readonly string[]
  readonly equalities: readonly Equality[]
}

/** What a FROM clause stands in. */
export interface Surroundings {
  readonly statement: Statement
  readonly outer: Scope | null
  readonly ctes: readonly CommonTableEntry[]
  /** The order of a derived table's rows shows in the result. */
  readonly wantsOrder?: boolean
  /** Number the rows of derived tables; the plan tells how. */
  readonly inOrder?: SelectContext
}

/** FROM with all its joins; every relation gets a name of its own. */
export function compileFrom(from: FromItem, around: Surroundings): CompiledFrom {
  return compileJoins(from, around, !keepsRight(from))
}

/** A condition inside a derived table is no condition on the rows of such a join. */
function keepsRight(from: FromItem): boolean {
  return (
    from.kind === 'join' && (from.type === 'right' || from.type === 'full' || keepsRight(from.left))
  )
}

function compileJoins(from: FromItem, around: Surroundings, mayFlatten: boolean): CompiledFrom {
  if (from.kind === 'join') {
    return compileJoin(from, compileJoins(from.left, around, mayFlatten), around, mayFlatten)
  }
  const flat = mayFlatten ? flattenItem(from, around) : null
  if (flat !== null) {
    return flat
  }
  const { sql, relation } = compileRelation(from, around)
  const step: JoinStep = { relation, type: 'first', equalities: [] }
  return {
    sql,
    relations: [relation],
    steps: [step],
    merged: new Map(),
    conditions: [],
    equalities: [],
  }
}

function flattenItem(item: Exclude<FromItem, JoinItem>, around: Surroundings): CompiledFrom | null {
  if (item.kind === 'subquery') {
    return flatten(item.select, item.alias ?? '', null, around)
  }
  const folded = foldIdentifier(item.name)
  if (item.schema === null && around.ctes.some((entry) => entry.name === folded)) {
    return null
  }
  const { statement } = around
  const view = statement.table(item.name)
  const parsed = 'view' in view ? parseSelect(view.select) : null
  return 'view' in view && parsed?.kind === 'select'
    ? statement.within(view.select, () =>
        flatten(parsed.select, item.alias ?? item.name, view.columns, {
          statement,
          outer: null,
          ctes: [],
        }),
      )
    : null
}

function compileRelation(
  item: Exclude<FromItem, JoinItem>,
  around: Surroundings,
): { readonly sql: string; readonly relation: Relation } {
  const { statement, outer, ctes } = around
  if (item.kind === 'subquery') {
    const emitted = statement.newName('t')
    const alias = item.alias ?? ''
    const own = around.inOrder && compileInOrder(item.select, alias, around.inOrder)
    if (own != null) {
      const relation = inOrder(derivedRelation(own.columns, alias, emitted, own.keys))
      return { sql: `(${own.sql}) AS ${emitted}`, relation }
    }
    // A limit would have to count the rows in that order.
    const { orderBy, limit } = item.select
    const numbered = around.wantsOrder === true && orderBy.length > 0 && limit === null
    const inner = numbered
      ? compileSelect(item.select, { statement, outer, ctes, order: 'rows', numbered })
      : compileSelect(item.select, { statement, outer, ctes, order: 'content' })
    const relation = derivedRelation(inner.columns, alias, emitted, inner.keys)
    const sql = `(${inner.sql}) AS ${emitted}`
    return { sql, relation: numbered ? inOrder(relation) : relation }
  }
  const folded = foldIdentifier(item.name)
  const cte = item.schema === null ? ctes.findLast((entry) => entry.name === folded) : undefined
  const emitted = statement.newName('t')
  if (cte !== undefined) {
    const relation = derivedRelation(cte.columns, item.alias ?? item.name, emitted, cte.keys)
    const sql = `${cte.emitted} AS ${emitted}`
    return { sql, relation: cte.isNumbered ? inOrder(relation) : relation }
  }
  if (item.schema !== null && foldIdentifier(item.schema) !== 'main') {
    keep('schema')
  }
  const table = statement.table(item.name)
  if ('view' in table) {
    return compileView(table, item, emitted, around)
  }
  const relation = tableRelation(table, item.alias ?? item.name, emitted)
  return { sql: `${table.sqlName} AS ${emitted}`, relation }
}

/** A view is its SELECT in parentheses; it sees nothing of the statement around it. */
function compileView(
  view: ViewDefinition,
  item: TableItem,
  emitted: string,
  { statement, inOrder: context }: Surroundings,
): { readonly sql: string; readonly relation: Relation } {
  const parsed = parseSelect(view.select)
  if (parsed.kind === 'not-understood') {
    return keep(`view: ${parsed.reason}`)
  }
  const alone = { statement, outer: null, ctes: [] }
  const [inner, isNumbered] = statement.within(view.select, () => {
    const own = context && compileInOrder(parsed.select, item.name, { ...context, ...alone })
    return own == null
      ? ([compileSelect(parsed.select, { ...alone, order: 'content' }), false] as const)
      : ([own, true] as const)
  })
  if (inner.columns.length !== view.columns.length) {
    keep('view with other columns')
  }
  const columns = inner.columns.map((column, i) => ({ ...column, name: view.columns[i] ?? null }))
  const relation = derivedRelation(columns, item.alias ?? item.name, emitted, inner.keys)
  const sql = `(${inner.sql}) AS ${emitted}`
  return { sql, relation: isNumbered ? inOrder(relation) : relation }
}

function compileJoin(
  join: JoinItem,
  left: CompiledFrom,
  around: Surroundings,
  mayFlatten: boolean,
): CompiledFrom {
  if (join.right.kind === 'join') {
    return keep('join in parentheses')
  }
  const type = join.type === 'cross' || join.type === 'comma' ? 'inner' : join.type
  const isPlain = type === 'inner' && !join.natural && join.using === null
  if (type !== 'inner') {
    around.statement.hasOuterJoin = true
  }
  const flat = mayFlatten && isPlain ? flattenItem(join.right, around) : null
  if (flat !== null) {
    return joinFlat(join, left, flat, around)
  }
  const { sql, relation } = compileRelation(join.right, around)
  const relations = [...left.relations, relation]
  const names = join.natural ? commonNames(left, relation) : join.using
  if (names !== null) {
    return joinUsing(join, left, { sql, relation, relations, type }, names, around)
  }
  if (join.on === null) {
    if (type !== 'inner') {
      keep('outer join without on')
    }
    const step: JoinStep = { relation, type, equalities: [] }
    return {
      ...left,
      sql: `${left.sql} CROSS JOIN ${sql}`,
      relations,
      steps: [...left.steps, step],
    }
  }
  const core = onContext(new Scope(around.outer, relations, left.merged), around)
  const condition = asCondition(compileExpression(join.on, core))
  const equalities = equalitiesOf(join.on, core)
  return {
    ...left,
    sql: `${left.sql} ${type.toUpperCase()} JOIN ${sql} ON ${condition}`,
    relations,
    steps: [...left.steps, { relation, type, equalities }],
  }
}

/** An inner join with a derived table that was taken apart. */
function joinFlat(
  join: JoinItem,
  left: CompiledFrom,
  right: CompiledFrom,
  around: Surroundings,
): CompiledFrom {
  const relations = [...left.relations, ...right.relations]
  const core = onContext(new Scope(around.outer, relations, left.merged), around)
  const on = join.on === null ? null : asCondition(compileExpression(join.on, core))
  const equalities = join.on === null ? [] : equalitiesOf(join.on, core)
  const steps = right.steps.map(
    (step, i): JoinStep => (i === 0 ? { ...step, type: 'inner', equalities } : step),
  )
  const inner = right.steps.length > 1 ? `(${right.sql})` : right.sql
  return {
    sql: `${left.sql} ${on === null ? `CROSS JOIN ${inner}` : `INNER JOIN ${inner} ON ${on}`}`,
    relations,
    steps: [...left.steps, ...steps],
    merged: left.merged,
    conditions: [...left.conditions, ...right.conditions],
    equalities: [...left.equalities, ...right.equalities],
  }
}

/** An ON clause takes part in no grouping and sees no result columns. */
function onContext(scope: Scope, around: Surroundings): CoreContext {
  return {
    statement: around.statement,
    scope,
    ctes: around.ctes,
    windows: [],
    seesAliases: false,
    found: { aggregates: false, windows: false },
    windowTail: () => keep('window in on'),
    aggregateTail: () => keep('aggregate in on'),
    grouped: null,
  }
}
