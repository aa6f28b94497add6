import { type Parsing, parseExpression, parseName } from './parse-expression.js'
import type {
  Expression,
  FrameBound,
  OrderTerm,
  WindowFrame,
  WindowSpecification,
} from './syntax.js'

/** A call with everything that may follow it: DISTINCT, ORDER BY, FILTER, OVER. */
export function parseFunctionCall(parsing: Parsing): Expression {
  const { cursor } = parsing
  const { start, value } = cursor.next()
  cursor.expectOperator('(')
  const star = cursor.takeOperator('*')
  const distinct = !star && cursor.takeWord('DISTINCT')
  if (!distinct && cursor.isWord('ALL')) {
    cursor.next()
  }
  const items = star || cursor.isOperator(')') ? [] : cursor.list(() => parseExpression(parsing))
  const orderBy = cursor.takeWord('ORDER', 'BY') ? cursor.list(() => parseOrderTerm(parsing)) : []
  cursor.expectOperator(')')
  const filter = parseFilter(parsing)
  const over = cursor.takeWord('OVER') ? parseOver(parsing) : null
  const name = value.toLowerCase()
  const end = cursor.lastEnd
  return { kind: 'function', name, star, distinct, items, orderBy, filter, over, start, end }
}

export function parseOrderTerm(parsing: Parsing): OrderTerm {
  const { cursor } = parsing
  const expression = parseExpression(parsing)
  const descending = cursor.takeWord('DESC')
  if (!descending) {
    cursor.takeWord('ASC')
  }
  if (cursor.takeWord('NULLS', 'FIRST')) {
    return { expression, descending, nulls: 'first' }
  }
  return { expression, descending, nulls: cursor.takeWord('NULLS', 'LAST') ? 'last' : null }
}

/** What stands between the parentheses of OVER or of a WINDOW clause, without them. */
export function parseWindow(parsing: Parsing): WindowSpecification {
  const { cursor } = parsing
  cursor.expectOperator('(')
  const startsClause = ['PARTITION', 'ORDER', 'ROWS', 'RANGE', 'GROUPS'].some((word) =>
    cursor.isWord(word),
  )
  const base = startsClause || cursor.isOperator(')') ? null : parseName(parsing)
  const partitionBy = cursor.takeWord('PARTITION', 'BY')
    ? cursor.list(() => parseExpression(parsing))
    : []
  const orderBy = cursor.takeWord('ORDER', 'BY') ? cursor.list(() => parseOrderTerm(parsing)) : []
  const frame = parseFrame(parsing)
  cursor.expectOperator(')')
  return { base, isName: false, partitionBy, orderBy, frame }
}

function parseFilter(parsing: Parsing): Expression | null {
  const { cursor } = parsing
  if (!cursor.isWord('FILTER') || !cursor.isOperator('(', 1)) {
    return null
  }
  cursor.next()
  cursor.next()
  cursor.expectWord('WHERE')
  const filter = parseExpression(parsing)
  cursor.expectOperator(')')
  return filter
}

function parseOver(parsing: Parsing): WindowSpecification {
  if (parsing.cursor.isOperator('(')) {
    return parseWindow(parsing)
  }
  const base = parseName(parsing)
  return { base, isName: true, partitionBy: [], orderBy: [], frame: null }
}

function parseFrame(parsing: Parsing): WindowFrame | null {
  const { cursor } = parsing
  const unit = (['rows', 'range', 'groups'] as const).find((word) =>
    cursor.takeWord(word.toUpperCase()),
  )
  if (unit === undefined) {
    return null
  }
  if (!cursor.takeWord('BETWEEN')) {
    return { unit, start: parseBound(parsing), end: null, exclude: parseExclude(parsing) }
  }
  const start = parseBound(parsing)
  cursor.expectWord('AND')
  const end = parseBound(parsing)
  return { unit, start, end, exclude: parseExclude(parsing) }
}

function parseBound(parsing: Parsing): FrameBound {
  const { cursor } = parsing
  if (cursor.takeWord('UNBOUNDED', 'PRECEDING')) {
    return { kind: 'unbounded preceding', offset: null }
  }
  if (cursor.takeWord('UNBOUNDED', 'FOLLOWING')) {
    return { kind: 'unbounded following', offset: null }
  }
  if (cursor.takeWord('CURRENT', 'ROW')) {
    return { kind: 'current row', offset: null }
  }
  const offset = parseExpression(parsing)
  if (cursor.takeWord('PRECEDING')) {
    return { kind: 'preceding', offset }
  }
  cursor.expectWord('FOLLOWING')
  return { kind: 'following', offset }
}

function parseExclude(parsing: Parsing): WindowFrame['exclude'] {
  const { cursor } = parsing
  if (!cursor.takeWord('EXCLUDE')) {
    return null
  }
  for (const words of ['NO OTHERS', 'CURRENT ROW', 'GROUP', 'TIES'] as const) {
    if (cursor.takeWord(...words.split(' '))) {
      return words.toLowerCase() as WindowFrame['exclude']
    }
  }
  return cursor.fail('EXCLUDE not understood')
}
