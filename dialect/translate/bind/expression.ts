import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import { isAggregate } from '../parse/summarise.js'
import type {
  BinaryExpression,
  CaseExpression,
  ColumnReference,
  Expression,
  PatternExpression,
  UnaryExpression,
} from '../parse/syntax.js'
import { arithmetic, negate } from '../rules/arithmetic.js'
import { castTo } from '../rules/casts.js'
import { compare } from '../rules/comparison.js'
import { concatenate } from '../rules/concatenation.js'
import { scalarFunction } from '../rules/functions.js'
import { matchPattern } from '../rules/like.js'
import { blobLiteral, integerLiteral, realLiteral, textLiteral } from '../rules/literals.js'
import {
  asCondition,
  asValue,
  constantText,
  derived,
  oneOf,
  type Typed,
  typed,
  unify,
} from '../typed.js'
import { compileCall } from './call.js'
import { compileComparison, compileIn, compileOperands } from './comparison-operands.js'
import { foldConstant, isConstant } from './constant-expression.js'
import type { CoreContext } from './core-context.js'
import { compileJsonMember } from './json-member-call.js'
import { compileExists, compileScalarSubquery } from './subquery.js'

/** An expression of SQLite as one of DuckDB with its static type, or `Keep`. */
export function compileExpression(node: Expression, core: CoreContext): Typed {
  return foldConstant(node, core) ?? compileGrouped(node, core) ?? compileVariable(node, core)
}

/** In a row that stands for a group: the group's key itself, or a column that all its rows share. */
function compileGrouped(node: Expression, core: CoreContext): Typed | null {
  const { grouped } = core
  if (grouped === null || isConstant(node)) {
    return null
  }
  const row = { ...core, grouped: null }
  if (node.kind === 'column') {
    if (core.scope.ownColumn(node.table, node.name) === null) {
      // An alias stands for an expression over groups, a column of an outer query for one value.
      return null
    }
    const value = compileColumn(node, row)
    return grouped.isKey(value.sql) || value.constant ? value : grouped.pick(value)
  }
  if (!grouped.hasExpressions || !isRowExpression(node)) {
    return null
  }
  const value = compileVariable(node, row)
  return grouped.isKey(value.sql) ? value : null
}

/** It may be a key: neither an aggregate nor something with a SELECT in it. */
function isRowExpression(node: Expression): boolean {
  if (node.kind === 'function') {
    return node.over === null && !node.star && !isAggregate(node.name, node.items.length)
  }
  return !['subquery', 'exists'].includes(node.kind)
}

function compileVariable(node: Expression, core: CoreContext): Typed {
  switch (node.kind) {
    case 'null':
      return typed('NULL', 'null', { constant: true })
    case 'integer':
      return integerLiteral(node.text)
    case 'real':
      return realLiteral(node.text)
    case 'text':
      return textLiteral(node.value)
    case 'blob':
      return blobLiteral(node.hex)
    case 'parameter':
      return core.statement.constants.asValue(node.index)
    case 'column':
      return compileColumn(node, core)
    case 'unary':
      return compileUnary(node, core)
    case 'binary':
      return compileBinary(node, core)
    case 'null-test':
      return compileNullTest(node.operand, node.negated, core)
    case 'between': {
      const low = compileComparison('>=', node.operand, node.low, core)
      const high = compileComparison('<=', node.operand, node.high, core)
      const sql = `(${low.sql} AND ${high.sql})`
      return truth(node.negated ? `(NOT ${sql})` : sql, [low, high])
    }
    case 'pattern':
      return compilePattern(node, core)
    case 'in':
      return compileIn(node, core)
    case 'exists':
      return compileExists(node.select, core)
    case 'subquery':
      return compileScalarSubquery(node.select, core)
    case 'case':
      return compileCase(node, core)
    case 'cast':
      return castTo(compileExpression(node.operand, core), node.type)
    case 'function':
      return compileCall(node, core)
    case 'collate':
      return compileCollate(node.collation, compileExpression(node.operand, core))
    case 'row':
      return keep('row value')
  }
}

export function truth(sql: string, operands: readonly Typed[]): Typed {
  return derived(sql, 'bool', operands, { bound: 1, collated: false })
}

function compileColumn(node: ColumnReference, core: CoreContext): Typed {
  if (node.schema !== null && foldIdentifier(node.schema) !== 'main') {
    keep('schema')
  }
  const own = core.scope.ownColumn(node.table, node.name)
  if (own !== null) {
    core.scope.localUses += 1
    return own
  }
  const folded = foldIdentifier(node.name)
  const alias = node.table === null ? core.scope.aliases.get(folded) : undefined
  if (alias !== undefined && core.seesAliases) {
    return compileExpression(alias, { ...core, seesAliases: false })
  }
  for (let outer = core.scope.outer; outer !== null; outer = outer.outer) {
    const found = outer.ownColumn(node.table, node.name)
    if (found !== null) {
      core.scope.outerUses += 1
      return found
    }
    if (node.table === null && outer.aliases.has(folded)) {
      keep('alias of an outer query')
    }
  }
  if (node.bare && (folded === 'true' || folded === 'false')) {
    return integerLiteral(folded === 'true' ? '1' : '0')
  }
  return keep('column not found')
}

function compileUnary(node: UnaryExpression, core: CoreContext): Typed {
  const operand = compileExpression(node.operand, core)
  switch (node.operator) {
    case '-':
      return negate(operand, node.operand.kind === 'real')
    case '+':
      // A plus sign only takes the column's affinity away.
      return { ...asValue(operand), affinity: 'none', read: null, literal: false }
    case 'not':
      return truth(`(NOT ${asCondition(operand)})`, [operand])
    case '~':
      return operand.type === 'int'
        ? derived(`(~${operand.sql})`, 'int', [operand], { bound: 2 ** 63 })
        : keep(`~ of ${operand.type}`)
  }
}

function compileBinary(node: BinaryExpression, core: CoreContext): Typed {
  const { operator } = node
  switch (operator) {
    case 'and':
    case 'or': {
      const left = compileExpression(node.left, core)
      const right = compileExpression(node.right, core)
      const sql = `(${asCondition(left)} ${operator.toUpperCase()} ${asCondition(right)})`
      return truth(sql, [left, right])
    }
    case 'is':
    case 'is not':
      return compileIs(node, operator, core)
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileComparison(operator, node.left, node.right, core)
    case '||':
      return concatenate(compileExpression(node.left, core), compileExpression(node.right, core))
    case '->>':
      return compileJsonMember(operator, node.left, node.right, core)
    case '->':
      return scalarFunction(operator, [
        compileExpression(node.left, core),
        compileExpression(node.right, core),
      ])
    default:
      return arithmetic(
        operator,
        compileExpression(node.left, core),
        compileExpression(node.right, core),
      )
  }
}

/** `x IS TRUE` asks for truth; every other IS is a comparison that knows NULL. */
function compileIs(node: BinaryExpression, operator: 'is' | 'is not', core: CoreContext): Typed {
  const { right } = node
  const word = right.kind === 'column' && right.bare ? foldIdentifier(right.name) : ''
  if (word !== 'true' && word !== 'false') {
    return compileComparison(operator, node.left, right, core)
  }
  if (core.scope.ownColumn(null, word) !== null || core.scope.outer !== null) {
    keep('column named true or false')
  }
  const operand = compileExpression(node.left, core)
  const sql = `(${asCondition(operand)} ${operator.toUpperCase()} ${word.toUpperCase()})`
  return truth(sql, [operand])
}

function compileNullTest(operand: Expression, negated: boolean, core: CoreContext): Typed {
  const value = compileExpression(operand, core)
  return truth(`(${value.sql} IS ${negated ? 'NOT ' : ''}NULL)`, [value])
}

function compilePattern(node: PatternExpression, core: CoreContext): Typed {
  if (node.operator !== 'like' && node.operator !== 'glob') {
    return keep(`operator ${node.operator}`)
  }
  const operand = compileExpression(node.operand, core)
  const pattern = compileExpression(node.pattern, core)
  const escaped = node.escape === null ? null : constantText(compileExpression(node.escape, core))
  if (node.escape !== null && (escaped === null || [...escaped].length !== 1)) {
    keep('like with an escape that is no character')
  }
  const match = matchPattern(node.operator, operand, pattern, escaped)
  return node.negated ? truth(`(NOT ${asCondition(match)})`, [match]) : match
}

function compileCase(node: CaseExpression, core: CoreContext): Typed {
  const conditions = node.branches.map((branch) => {
    if (node.operand === null) {
      return asCondition(compileExpression(branch.when, core))
    }
    const [left, right] = compileOperands(node.operand, branch.when, core)
    return compare('=', left, right).sql
  })
  const results = node.branches.map((branch) => compileExpression(branch.result, core))
  const otherwise =
    node.otherwise === null
      ? typed('NULL', 'null', { constant: true })
      : compileExpression(node.otherwise, core)
  const unified = unify([...results, otherwise])
  if (unified === null) {
    return keep('case of mixed types')
  }
  const whens = conditions.map(
    (condition, i) => `WHEN ${condition} THEN ${unified.values[i]?.sql ?? 'NULL'}`,
  )
  const sql = `(CASE ${whens.join(' ')} ELSE ${unified.values.at(-1)?.sql ?? 'NULL'} END)`
  return { ...oneOf(sql, unified.type, unified.values), constant: false }
}

function compileCollate(collation: string, operand: Typed): Typed {
  const binary = foldIdentifier(collation) === 'binary'
  return binary && !operand.collated ? operand : { ...operand, collated: true }
}
