import { isReserved } from './keywords.js'
import { parseFunctionCall } from './parse-function.js'
import { parseTypeName } from './parse-type-name.js'
import type { BinaryOperator, CaseExpression, Expression, Select } from './syntax.js'
import type { TokenCursor } from './token-cursor.js'

/** The parser's state and its way back to the grammar of SELECT, which expressions contain. */
export interface Parsing {
  readonly cursor: TokenCursor
  readonly parseSelect: (parsing: Parsing) => Select
}

/**
 * SQLite's binary operators by binding strength (https://sqlite.org/lang_expr.html#operators).
 * Everything at `equality` that is not a plain infix operator is parsed by `parseEquality`.
 */
const strength = { or: 1, and: 2, not: 3, equality: 4, comparison: 5, bits: 7 }

const infix: ReadonlyMap<string, { readonly power: number; readonly operator: BinaryOperator }> =
  new Map([
    ['OR', { power: strength.or, operator: 'or' }],
    ['AND', { power: strength.and, operator: 'and' }],
    ['=', { power: strength.equality, operator: '=' }],
    ['==', { power: strength.equality, operator: '=' }],
    ['<>', { power: strength.equality, operator: '<>' }],
    ['!=', { power: strength.equality, operator: '<>' }],
    ['<', { power: strength.comparison, operator: '<' }],
    ['<=', { power: strength.comparison, operator: '<=' }],
    ['>', { power: strength.comparison, operator: '>' }],
    ['>=', { power: strength.comparison, operator: '>=' }],
    ['&', { power: strength.bits, operator: '&' }],
    ['|', { power: strength.bits, operator: '|' }],
    ['<<', { power: strength.bits, operator: '<<' }],
    ['>>', { power: strength.bits, operator: '>>' }],
    ['+', { power: 8, operator: '+' }],
    ['-', { power: 8, operator: '-' }],
    ['*', { power: 9, operator: '*' }],
    ['/', { power: 9, operator: '/' }],
    ['%', { power: 9, operator: '%' }],
    ['||', { power: 10, operator: '||' }],
    ['->', { power: 10, operator: '->' }],
    ['->>', { power: 10, operator: '->>' }],
  ] as const)

const equalityWords = new Set([
  'IS',
  'ISNULL',
  'NOTNULL',
  'NOT',
  'BETWEEN',
  'IN',
  'LIKE',
  'GLOB',
  'REGEXP',
  'MATCH',
])

/** The longest run of operators at one level; a longer one would be a tree too deep to walk. */
const chainMax = 500

export function parseExpression(parsing: Parsing, minimum = 0): Expression {
  const { cursor } = parsing
  return cursor.nested(() => {
    const start = cursor.token.start
    let left = parsePrefix(parsing)
    for (let count = 0; ; count += 1) {
      if (count > chainMax) {
        cursor.fail('too many operators')
      }
      const token = cursor.token
      const { kind, word } = token
      if (word === 'COLLATE') {
        cursor.next()
        left = {
          kind: 'collate',
          operand: left,
          collation: parseName(parsing),
          start,
          end: cursor.lastEnd,
        }
        continue
      }
      const known =
        kind === 'word' || kind === 'operator' ? infix.get(word || token.value) : undefined
      if (known !== undefined && known.power > minimum) {
        cursor.next()
        const right = parseExpression(parsing, known.power)
        left = { kind: 'binary', operator: known.operator, left, right, start, end: cursor.lastEnd }
      } else if (kind === 'word' && strength.equality > minimum && equalityWords.has(word)) {
        left = parseEquality(parsing, left, start)
      } else {
        return left
      }
    }
  })
}

/** A name: quoted, or a word that is no keyword. */
export function parseName(parsing: Parsing): string {
  const { cursor } = parsing
  const token = cursor.token
  if (token.kind === 'name' || (token.kind === 'word' && !isReserved(token.word))) {
    cursor.next()
    return token.value
  }
  return cursor.fail('name expected')
}

function parsePrefix(parsing: Parsing): Expression {
  const { cursor } = parsing
  const { start } = cursor.token
  for (const operator of ['-', '+', '~'] as const) {
    if (cursor.takeOperator(operator)) {
      // Signs and ~ bind stronger than any infix operator, COLLATE included.
      const operand = cursor.nested(() => parsePrefix(parsing))
      return { kind: 'unary', operator, operand, start, end: cursor.lastEnd }
    }
  }
  if (cursor.isWord('NOT') && !cursor.isWord('EXISTS', 1)) {
    cursor.next()
    const operand = parseExpression(parsing, strength.not)
    return { kind: 'unary', operator: 'not', operand, start, end: cursor.lastEnd }
  }
  if (cursor.takeWord('NOT')) {
    const operand = parsePrefix(parsing)
    return { kind: 'unary', operator: 'not', operand, start, end: cursor.lastEnd }
  }
  return parsePrimary(parsing)
}

function parseEquality(parsing: Parsing, left: Expression, start: number): Expression {
  const { cursor } = parsing
  const span = () => ({ start, end: cursor.lastEnd })
  if (cursor.takeWord('ISNULL')) {
    return { kind: 'null-test', operand: left, negated: false, ...span() }
  }
  if (cursor.takeWord('NOTNULL') || cursor.takeWord('NOT', 'NULL')) {
    return { kind: 'null-test', operand: left, negated: true, ...span() }
  }
  if (cursor.takeWord('IS')) {
    return parseIs(parsing, left, start)
  }
  const negated = cursor.takeWord('NOT')
  if (cursor.takeWord('BETWEEN')) {
    const low = parseExpression(parsing, strength.not)
    cursor.expectWord('AND')
    const high = parseExpression(parsing, strength.equality)
    return { kind: 'between', operand: left, low, high, negated, ...span() }
  }
  if (cursor.takeWord('IN')) {
    return parseIn(parsing, left, negated, start)
  }
  for (const operator of ['like', 'glob', 'regexp', 'match'] as const) {
    if (cursor.takeWord(operator.toUpperCase())) {
      const pattern = parseExpression(parsing, strength.equality)
      const escaped = cursor.takeWord('ESCAPE') ? parseExpression(parsing, strength.bits) : null
      return {
        kind: 'pattern',
        operator,
        operand: left,
        pattern,
        escape: escaped,
        negated,
        ...span(),
      }
    }
  }
  return cursor.fail('operator expected after NOT')
}

function parseIs(parsing: Parsing, left: Expression, start: number): Expression {
  const { cursor } = parsing
  let negated = cursor.takeWord('NOT')
  if (cursor.takeWord('DISTINCT', 'FROM')) {
    negated = !negated
  }
  const right = parseExpression(parsing, strength.equality)
  const span = { start, end: cursor.lastEnd }
  return right.kind === 'null'
    ? { kind: 'null-test', operand: left, negated, ...span }
    : { kind: 'binary', operator: negated ? 'is not' : 'is', left, right, ...span }
}

function parseIn(
  parsing: Parsing,
  operand: Expression,
  negated: boolean,
  start: number,
): Expression {
  const { cursor } = parsing
  if (!cursor.isOperator('(')) {
    const select = wholeTable(parsing)
    return { kind: 'in', operand, negated, items: null, select, start, end: cursor.lastEnd }
  }
  cursor.next()
  let items: readonly Expression[] | null = null
  let select: Select | null = null
  if (startsSelect(cursor)) {
    select = parsing.parseSelect(parsing)
  } else {
    items = cursor.isOperator(')') ? [] : cursor.list(() => parseExpression(parsing))
  }
  cursor.expectOperator(')')
  return { kind: 'in', operand, negated, items, select, start, end: cursor.lastEnd }
}

/** `x IN t` is short for `x IN (SELECT * FROM t)`. */
function wholeTable(parsing: Parsing): Select {
  const { cursor } = parsing
  const { start } = cursor.token
  const first = parseName(parsing)
  const second = cursor.takeOperator('.') ? parseName(parsing) : null
  if (cursor.isOperator('(')) {
    cursor.fail('table function')
  }
  const name = second ?? first
  const schema = second === null ? null : first
  return {
    recursive: false,
    ctes: [],
    body: {
      kind: 'core',
      distinct: false,
      columns: [{ kind: 'star', table: null }],
      from: { kind: 'table', schema, name, alias: null },
      where: null,
      groupBy: [],
      having: null,
      windows: [],
    },
    orderBy: [],
    limit: null,
    offset: null,
    start,
    end: cursor.lastEnd,
  }
}

function parsePrimary(parsing: Parsing): Expression {
  const { cursor } = parsing
  const token = cursor.token
  const span = { start: token.start, end: token.end }
  switch (token.kind) {
    case 'integer':
    case 'real':
      cursor.next()
      return { kind: token.kind, text: token.value, ...span }
    case 'text':
      cursor.next()
      return { kind: 'text', value: token.value, ...span }
    case 'blob':
      cursor.next()
      return { kind: 'blob', hex: token.value, ...span }
    case 'parameter':
      return { kind: 'parameter', index: cursor.nextParameter(), ...span }
    case 'name':
      return parseReference(parsing)
    case 'word':
      return parseWord(parsing)
    case 'operator':
      return token.value === '(' ? parseParentheses(parsing) : cursor.fail('expression expected')
    case 'end':
      return cursor.fail('unexpected end')
  }
}

export function startsSelect(cursor: TokenCursor, distance = 0): boolean {
  return ['SELECT', 'WITH', 'VALUES'].some((word) => cursor.isWord(word, distance))
}

function parseParentheses(parsing: Parsing): Expression {
  const { cursor } = parsing
  const { start } = cursor.next()
  if (startsSelect(cursor)) {
    const select = cursor.nested(() => parsing.parseSelect(parsing))
    cursor.expectOperator(')')
    return { kind: 'subquery', select, start, end: cursor.lastEnd }
  }
  const items = cursor.list(() => parseExpression(parsing))
  cursor.expectOperator(')')
  const [only] = items
  return items.length === 1 && only !== undefined
    ? only
    : { kind: 'row', items, start, end: cursor.lastEnd }
}

function parseWord(parsing: Parsing): Expression {
  const { cursor } = parsing
  const { start } = cursor.token
  if (cursor.takeWord('NULL')) {
    return { kind: 'null', start, end: cursor.lastEnd }
  }
  if (cursor.takeWord('CASE')) {
    return { ...parseCase(parsing), start, end: cursor.lastEnd }
  }
  if (cursor.isWord('CAST') && cursor.isOperator('(', 1)) {
    return parseCast(parsing)
  }
  if (cursor.takeWord('EXISTS')) {
    cursor.expectOperator('(')
    const select = cursor.nested(() => parsing.parseSelect(parsing))
    cursor.expectOperator(')')
    return { kind: 'exists', select, start, end: cursor.lastEnd }
  }
  return parseReference(parsing)
}

function parseReference(parsing: Parsing): Expression {
  const { cursor } = parsing
  const first = cursor.token
  if (cursor.isOperator('(', 1)) {
    return parseFunctionCall(parsing)
  }
  const names = [parseName(parsing)]
  while (names.length < 3 && cursor.isOperator('.') && !cursor.isOperator('*', 1)) {
    cursor.next()
    names.push(parseName(parsing))
  }
  const [name = '', table = null, schema = null] = names.reverse()
  const bare = first.kind === 'word' && names.length === 1
  return { kind: 'column', schema, table, name, bare, start: first.start, end: cursor.lastEnd }
}

function parseCase(parsing: Parsing): CaseExpression {
  const { cursor } = parsing
  const operand = cursor.isWord('WHEN') ? null : parseExpression(parsing)
  const branches: { when: Expression; result: Expression }[] = []
  while (cursor.takeWord('WHEN')) {
    const when = parseExpression(parsing)
    cursor.expectWord('THEN')
    branches.push({ when, result: parseExpression(parsing) })
  }
  const otherwise = cursor.takeWord('ELSE') ? parseExpression(parsing) : null
  cursor.expectWord('END')
  return { kind: 'case', operand, branches, otherwise }
}

function parseCast(parsing: Parsing): Expression {
  const { cursor } = parsing
  const { start } = cursor.next()
  cursor.expectOperator('(')
  const operand = parseExpression(parsing)
  cursor.expectWord('AS')
  const type = parseTypeName(cursor)
  cursor.expectOperator(')')
  return { kind: 'cast', operand, type, start, end: cursor.lastEnd }
}
