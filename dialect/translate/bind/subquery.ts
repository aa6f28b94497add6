import { storageClass } from '../../../src/core/column-profile.js'
import { keep } from '../keep.js'
import { summarise } from '../parse/summarise.js'
import type { Expression, InExpression, Select } from '../parse/syntax.js'
import { comparable } from '../rules/comparison.js'
import { compileSelect } from '../select/select.js'
import type { Statement } from '../statement.js'
import { asValue, raiseWhen, type Typed } from '../typed.js'
import type { CoreContext } from './core-context.js'
import { compileExpression, truth } from './expression.js'

export function compileExists(select: Select, core: CoreContext): Typed {
  const { statement, scope, ctes } = core
  const limited = select.limit !== null
  if (
    limited &&
    (select.limit?.kind !== 'integer' || select.limit.text === '0' || select.offset !== null)
  ) {
    keep('exists with limit')
  }
  const bare = { ...select, limit: null, orderBy: [] }
  const { sql } = compileSelect(bare, { statement, outer: scope, ctes, order: 'none' })
  return { ...truth(`EXISTS (${sql})`, []), constant: false }
}

/** DuckDB raises where it returns several rows; SQLite would take the first. */
export function compileScalarSubquery(select: Select, core: CoreContext): Typed {
  const { statement, scope, ctes } = core
  const inner = compileSelect(select, { statement, outer: scope, ctes, order: 'content' })
  const [column] = inner.columns
  if (column === undefined || inner.columns.length !== 1) {
    return keep('row value')
  }
  // Whether a text is still JSON when it leaves a subquery depends on the plan, and on the version
  // of SQLite: 3.54 forgets it where 3.53 does not.
  const json = column.value.json === false ? false : 'unknown'
  const sql = `(${inner.sql})`
  return { ...column.value, sql, constant: false, read: null, literal: false, json }
}

export function compileInSubquery(node: InExpression, core: CoreContext): Typed {
  const { statement, scope, ctes } = core
  if (node.select === null) {
    return keep('row value')
  }
  if (node.operand.kind === 'row') {
    return compileRowsInSubquery(node, node.operand.items, node.select, core)
  }
  const operand = asValue(compileExpression(node.operand, core))
  const inner = compileSelect(node.select, { statement, outer: scope, ctes, order: 'content' })
  const [column] = inner.columns
  if (column === undefined || inner.columns.length !== 1) {
    return keep('row value')
  }
  if (summarise(node.select).tables.some((name) => hidesNull(statement, name))) {
    keep('in: a descending index over NULL')
  }
  const [left, right] = comparable(operand, {
    ...column.value,
    sql: 'c0',
    read: null,
    literal: false,
  })
  if (
    operand.type !== column.value.type &&
    operand.type !== 'null' &&
    column.value.type !== 'null'
  ) {
    keep('in: types differ')
  }
  const inside =
    right.sql === 'c0'
      ? inner.sql
      : `SELECT ${right.sql} FROM (${inner.sql}) AS ${statement.newName('s')}`
  const sql = `(${left.sql} IN (${inside}))`
  return { ...truth(node.negated ? `(NOT ${sql})` : sql, [operand]), constant: false }
}

/** DuckDB holds NULL equal to NULL in a row, so that any NULL sends the query back. */
function compileRowsInSubquery(
  { negated }: InExpression,
  items: readonly Expression[],
  select: Select,
  core: CoreContext,
): Typed {
  const { statement, scope, ctes } = core
  const inner = compileSelect(select, { statement, outer: scope, ctes, order: 'content' })
  if (inner.columns.length !== items.length) {
    return keep('row value')
  }
  const pairs = inner.columns.map(({ value }, i) => {
    const item = asValue(compileExpression(items[i] ?? keep('row value'), core))
    const pair = comparable(item, { ...value, sql: `c${i}`, read: null, literal: false })
    return pair[0].type === pair[1].type && /^(int|text|blob)$/.test(item.type)
      ? pair
      : keep('in: types differ')
  })
  const rowOf = (values: readonly Typed[]) =>
    `row(${values.map(({ sql }) => raiseWhen(`(${sql} IS NULL)`, sql)).join(', ')})`
  const left = pairs.map(([value]) => value)
  const right = rowOf(pairs.map(([, value]) => value))
  const inside = `SELECT ${right} FROM (${inner.sql}) AS ${statement.newName('s')}`
  const sql = `(${rowOf(left)} IN (${inside}))`
  return { ...truth(negated ? `(NOT ${sql})` : sql, left), constant: false }
}

/** SQLite overlooks a NULL where it takes the list from an index that begins with a descending column. */
function hidesNull(statement: Statement, name: string): boolean {
  const table = statement.findTable(name)
  const indexes = table?.shape.indexes ?? []
  return indexes.some(({ columns: [first] }) => {
    const column = table?.columns.find((candidate) => candidate.name === first?.name)
    const hasNull = ((column?.profile.classes ?? 0) & storageClass.null) !== 0
    return first?.descending === true && hasNull
  })
}
