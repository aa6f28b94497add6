import { type Parsing, parseExpression, parseName, startsSelect } from './parse-expression.js'
import { parseAlias } from './parse-select.js'
import type { Expression, FromItem, JoinItem } from './syntax.js'

/** Everything between FROM and WHERE: a left-deep chain of joins. */
export function parseFrom(parsing: Parsing): FromItem {
  const { cursor } = parsing
  let left = firstOperand(parsing)
  for (;;) {
    const operator = joinOperator(parsing)
    if (operator === null) {
      return left
    }
    const right = fromOperand(parsing)
    let on: Expression | null = null
    let using: readonly string[] | null = null
    if (cursor.takeWord('ON')) {
      on = parseExpression(parsing)
    } else if (cursor.takeWord('USING')) {
      cursor.expectOperator('(')
      using = cursor.list(() => parseName(parsing))
      cursor.expectOperator(')')
    }
    left = { kind: 'join', ...operator, left, right, on, using }
  }
}

/** Parentheses around the leftmost joins change nothing: joins group from the left anyway. */
function firstOperand(parsing: Parsing): FromItem {
  const { cursor } = parsing
  if (!cursor.isOperator('(') || startsSelect(cursor, 1)) {
    return fromOperand(parsing)
  }
  cursor.next()
  const inner = cursor.nested(() => parseFrom(parsing))
  cursor.expectOperator(')')
  return inner.kind === 'join' && !mergesColumns(inner)
    ? inner
    : cursor.fail('table in parentheses')
}

/** The merged columns of a join in parentheses belong to a table of their own. */
function mergesColumns(join: JoinItem): boolean {
  return (
    join.natural || join.using !== null || (join.left.kind === 'join' && mergesColumns(join.left))
  )
}

function joinOperator(parsing: Parsing): Pick<JoinItem, 'type' | 'natural'> | null {
  const { cursor } = parsing
  if (cursor.takeOperator(',')) {
    return { type: 'comma', natural: false }
  }
  const natural = cursor.takeWord('NATURAL')
  const type = joinType(parsing)
  if (cursor.takeWord('JOIN')) {
    return { type, natural }
  }
  return natural || type !== 'inner' ? cursor.fail('JOIN expected') : null
}

function joinType(parsing: Parsing): JoinItem['type'] {
  const { cursor } = parsing
  for (const type of ['left', 'right', 'full'] as const) {
    if (cursor.takeWord(type.toUpperCase())) {
      cursor.takeWord('OUTER')
      return type
    }
  }
  if (cursor.takeWord('CROSS')) {
    return 'cross'
  }
  cursor.takeWord('INNER')
  return 'inner'
}

function fromOperand(parsing: Parsing): FromItem {
  const { cursor } = parsing
  if (cursor.takeOperator('(')) {
    if (startsSelect(cursor)) {
      const select = cursor.nested(() => parsing.parseSelect(parsing))
      cursor.expectOperator(')')
      return { kind: 'subquery', select, alias: parseAlias(parsing) }
    }
    // A join in parentheses changes the nesting; that case is not proven.
    cursor.fail('join in parentheses')
  }
  const first = parseName(parsing)
  const second = cursor.takeOperator('.') ? parseName(parsing) : null
  if (cursor.isOperator('(')) {
    cursor.fail('table function')
  }
  const alias = parseAlias(parsing)
  if (cursor.takeWord('INDEXED', 'BY')) {
    parseName(parsing)
  } else {
    cursor.takeWord('NOT', 'INDEXED')
  }
  return second === null
    ? { kind: 'table', schema: null, name: first, alias }
    : { kind: 'table', schema: first, name: second, alias }
}
