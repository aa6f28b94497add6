import { foldIdentifier, quoteIdentifier } from '../../../src/core/sql-identifier.js'
import type { CoreContext } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import { derivedRelation } from '../bind/output.js'
import { type Relation, Scope } from '../bind/scope.js'
import { tableRelation } from '../bind/table-relation.js'
import { keep } from '../keep.js'
import { type Equality, equalitiesOf } from '../order/equalities.js'
import { parseSelect } from '../parse/parse-select.js'
import type { FromItem, JoinItem, TableItem } from '../parse/syntax.js'
import { compare } from '../rules/comparison.js'
import type { CommonTableEntry, Statement } from '../statement.js'
import type { ViewDefinition } from '../translation.js'
import { asCondition, oneOf, type Typed, unify } from '../typed.js'
import { compileSelect } from './select.js'

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
}

interface Surroundings {
  readonly statement: Statement
  readonly outer: Scope | null
  readonly ctes: readonly CommonTableEntry[]
}

/** FROM with all its joins; every relation gets a name of its own. */
export function compileFrom(from: FromItem, around: Surroundings): CompiledFrom {
  if (from.kind === 'join') {
    return compileJoin(from, compileFrom(from.left, around), around)
  }
  const { sql, relation } = compileRelation(from, around)
  const step: JoinStep = { relation, type: 'first', equalities: [] }
  return { sql, relations: [relation], steps: [step], merged: new Map() }
}

function compileRelation(
  item: Exclude<FromItem, JoinItem>,
  around: Surroundings,
): { readonly sql: string; readonly relation: Relation } {
  const { statement, outer, ctes } = around
  if (item.kind === 'subquery') {
    const emitted = statement.newName('t')
    const inner = compileSelect(item.select, { statement, outer, ctes, order: 'content' })
    const relation = derivedRelation(inner.columns, item.alias ?? '', emitted, inner.keys)
    return { sql: `(${inner.sql}) AS ${emitted}`, relation }
  }
  const folded = foldIdentifier(item.name)
  const cte = item.schema === null ? ctes.findLast((entry) => entry.name === folded) : undefined
  const emitted = statement.newName('t')
  if (cte !== undefined) {
    const relation = derivedRelation(cte.columns, item.alias ?? item.name, emitted, cte.keys)
    return { sql: `${cte.emitted} AS ${emitted}`, relation }
  }
  if (item.schema !== null && foldIdentifier(item.schema) !== 'main') {
    keep('schema')
  }
  const table = statement.table(item.name)
  if ('view' in table) {
    return compileView(table, item, emitted, statement)
  }
  const relation = tableRelation(table, item.alias ?? item.name, emitted)
  return { sql: `${table.sqlName} AS ${emitted}`, relation }
}

/** A view is its SELECT in parentheses; it sees nothing of the statement around it. */
function compileView(
  view: ViewDefinition,
  item: TableItem,
  emitted: string,
  statement: Statement,
): { readonly sql: string; readonly relation: Relation } {
  const parsed = parseSelect(view.select)
  if (parsed.kind === 'not-understood') {
    return keep(`view: ${parsed.reason}`)
  }
  const inner = statement.within(view.select, () =>
    compileSelect(parsed.select, { statement, outer: null, ctes: [], order: 'content' }),
  )
  if (inner.columns.length !== view.columns.length) {
    keep('view with other columns')
  }
  const columns = inner.columns.map((column, i) => ({ ...column, name: view.columns[i] ?? null }))
  const relation = derivedRelation(columns, item.alias ?? item.name, emitted, inner.keys)
  return { sql: `(${inner.sql}) AS ${emitted}`, relation }
}

function compileJoin(join: JoinItem, left: CompiledFrom, around: Surroundings): CompiledFrom {
  if (join.right.kind === 'join') {
    return keep('join in parentheses')
  }
  const { sql, relation } = compileRelation(join.right, around)
  const relations = [...left.relations, relation]
  const type = join.type === 'cross' || join.type === 'comma' ? 'inner' : join.type
  const names = join.natural ? commonNames(left, relation) : join.using
  if (names !== null) {
    return joinUsing(join, left, { sql, relation, relations, type }, names, around)
  }
  if (join.on === null) {
    if (type !== 'inner') {
      keep('outer join without on')
    }
    const step: JoinStep = { relation, type, equalities: [] }
    const steps = [...left.steps, step]
    return { sql: `${left.sql} CROSS JOIN ${sql}`, relations, steps, merged: left.merged }
  }
  const scope = new Scope(around.outer, relations, left.merged)
  const core = onContext(scope, around)
  const condition = asCondition(compileExpression(join.on, core))
  const equalities = equalitiesOf(join.on, core)
  return {
    sql: `${left.sql} ${type.toUpperCase()} JOIN ${sql} ON ${condition}`,
    relations,
    steps: [...left.steps, { relation, type, equalities }],
    merged: left.merged,
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
  }
}

function commonNames(left: CompiledFrom, right: Relation): readonly string[] {
  const names = right.columns.map((column) => column.name ?? keep('natural join of an expression'))
  const known = new Set(
    left.relations.flatMap((relation) =>
      relation.columns.map((column) => foldIdentifier(column.name ?? '')),
    ),
  )
  return names.filter((name) => known.has(foldIdentifier(name)))
}

function joinUsing(
  join: JoinItem,
  left: CompiledFrom,
  right: {
    readonly sql: string
    readonly relation: Relation
    readonly relations: readonly Relation[]
    readonly type: 'inner' | 'left' | 'right' | 'full'
  },
  names: readonly string[],
  around: Surroundings,
): CompiledFrom {
  if (names.length === 0) {
    if (join.natural && right.type === 'inner') {
      const step: JoinStep = { relation: right.relation, type: 'inner', equalities: [] }
      const steps = [...left.steps, step]
      return {
        ...left,
        sql: `${left.sql} CROSS JOIN ${right.sql}`,
        relations: right.relations,
        steps,
      }
    }
    keep('natural join without common columns')
  }
  const leftScope = new Scope(around.outer, left.relations, left.merged)
  const rightScope = new Scope(around.outer, [right.relation], new Map())
  const merged = new Map(left.merged)
  const conditions: string[] = []
  const equalities: Equality[] = []
  for (const name of names) {
    const a = leftScope.ownColumn(null, name) ?? keep('using: column not found')
    const b = rightScope.ownColumn(null, name) ?? keep('using: column not found')
    conditions.push(compare('=', a, b).sql)
    if (a.type === b.type) {
      equalities.push({ a: a.sql, b: b.sql })
    }
    merged.set(
      foldIdentifier(name),
      right.type === 'right' || right.type === 'full' ? either(a, b) : a,
    )
  }
  return {
    sql: `${left.sql} ${right.type.toUpperCase()} JOIN ${right.sql} ON ${conditions.join(' AND ')}`,
    relations: right.relations,
    steps: [...left.steps, { relation: right.relation, type: right.type, equalities }],
    merged,
  }
}

function either(a: Typed, b: Typed): Typed {
  const unified = unify([a, b])
  if (unified === null || a.type !== b.type) {
    return keep('using: types differ')
  }
  const sql = `coalesce(${unified.values.map((value) => value.sql).join(', ')})`
  return { ...oneOf(sql, unified.type, unified.values), affinity: 'unknown' }
}

export function columnSql(relation: Relation, name: string): string {
  return `${relation.emitted}.${quoteIdentifier(name)}`
}
