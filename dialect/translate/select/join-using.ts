import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { type Relation, Scope } from '../bind/scope.js'
import { keep } from '../keep.js'
import type { Equality } from '../order/equalities.js'
import type { JoinItem } from '../parse/syntax.js'
import { compare } from '../rules/comparison.js'
import { oneOf, type Typed, unify } from '../typed.js'
import type { CompiledFrom, JoinStep, Surroundings } from './from.js'

export function commonNames(left: CompiledFrom, right: Relation): readonly string[] {
  const names = right.columns.map((column) => column.name ?? keep('natural join of an expression'))
  const known = new Set(
    left.relations.flatMap((relation) =>
      relation.columns.map((column) => foldIdentifier(column.name ?? '')),
    ),
  )
  return names.filter((name) => known.has(foldIdentifier(name)))
}

export function joinUsing(
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
    ...left,
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
