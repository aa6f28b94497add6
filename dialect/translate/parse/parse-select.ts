import { mayBeBareAlias } from './keywords.js'
import { type Parsing, parseExpression, parseName, startsSelect } from './parse-expression.js'
import { parseFrom } from './parse-from.js'
import { parseOrderTerm, parseWindow } from './parse-function.js'
import { type StatementSummary, summarise } from './summarise.js'
import type {
  CommonTable,
  CompoundBody,
  Expression,
  NamedWindow,
  ResultColumn,
  Select,
  SelectBody,
  SelectCore,
  ValuesCore,
} from './syntax.js'
import { NotUnderstood, TokenCursor } from './token-cursor.js'
import { tokenize } from './tokenize.js'

export type ParsedStatement =
  | {
      readonly kind: 'select'
      readonly select: Select
      readonly parameterCount: number
      readonly summary: StatementSummary
    }
  | { readonly kind: 'not-understood'; readonly reason: string }

/** The longest statement that is looked at, in UTF-16 units: parsing stays far below a millisecond. */
const textLengthMax = 100_000

/**
 * Reads one SELECT of SQLite's language. What is not in the grammar below, though SQLite may know
 * it, is "not understood", never guessed.
 *
 * @param sql A statement that SQLite has accepted, with `?` parameters only.
 */
export function parseSelect(sql: string): ParsedStatement {
  if (sql.length > textLengthMax) {
    return { kind: 'not-understood', reason: 'statement too long' }
  }
  const tokens = tokenize(sql)
  if (tokens === null) {
    return { kind: 'not-understood', reason: 'unknown token' }
  }
  const cursor = new TokenCursor(sql, tokens)
  try {
    const select = selectStatement({ cursor, parseSelect: selectStatement })
    cursor.takeOperator(';')
    if (cursor.token.kind !== 'end') {
      cursor.fail('text after the statement')
    }
    const parameterCount = cursor.parameterCount
    let summary: StatementSummary | undefined
    return {
      kind: 'select',
      select,
      parameterCount,
      get summary() {
        summary ??= summarise(select)
        return summary
      },
    }
  } catch (error) {
    if (error instanceof NotUnderstood) {
      return { kind: 'not-understood', reason: error.message }
    }
    throw error
  }
}

function selectStatement(parsing: Parsing): Select {
  const { cursor } = parsing
  const { start } = cursor.token
  const withClause = cursor.takeWord('WITH')
  const recursive = withClause && cursor.takeWord('RECURSIVE')
  const ctes = withClause ? cursor.list(() => commonTable(parsing)) : []
  const body = selectBody(parsing)
  const orderBy = cursor.takeWord('ORDER', 'BY') ? cursor.list(() => parseOrderTerm(parsing)) : []
  const { limit, offset } = limitClause(parsing)
  return { recursive, ctes, body, orderBy, limit, offset, start, end: cursor.lastEnd }
}

function commonTable(parsing: Parsing): CommonTable {
  const { cursor } = parsing
  const name = parseName(parsing)
  let columns: readonly string[] | null = null
  if (cursor.takeOperator('(')) {
    columns = cursor.list(() => parseName(parsing))
    cursor.expectOperator(')')
  }
  cursor.expectWord('AS')
  if (cursor.takeWord('NOT')) {
    cursor.expectWord('MATERIALIZED')
  } else {
    cursor.takeWord('MATERIALIZED')
  }
  cursor.expectOperator('(')
  const select = cursor.nested(() => selectStatement(parsing))
  cursor.expectOperator(')')
  return { name, columns, select }
}

function limitClause(parsing: Parsing): {
  readonly limit: Expression | null
  readonly offset: Expression | null
} {
  const { cursor } = parsing
  if (!cursor.takeWord('LIMIT')) {
    return { limit: null, offset: null }
  }
  const first = parseExpression(parsing)
  if (cursor.takeWord('OFFSET')) {
    return { limit: first, offset: parseExpression(parsing) }
  }
  // `LIMIT a, b` skips a rows.
  return cursor.takeOperator(',')
    ? { limit: parseExpression(parsing), offset: first }
    : { limit: first, offset: null }
}

function selectBody(parsing: Parsing): SelectBody {
  let body: SelectBody = selectCore(parsing)
  for (let count = 0; ; count += 1) {
    const operator = compoundOperator(parsing)
    if (operator === null) {
      return body
    }
    if (count > 100) {
      parsing.cursor.fail('too many set operations')
    }
    body = { kind: 'compound', operator, left: body, right: selectCore(parsing) }
  }
}

function compoundOperator(parsing: Parsing): CompoundBody['operator'] | null {
  const { cursor } = parsing
  if (cursor.takeWord('UNION')) {
    return cursor.takeWord('ALL') ? 'union all' : 'union'
  }
  if (cursor.takeWord('INTERSECT')) {
    return 'intersect'
  }
  return cursor.takeWord('EXCEPT') ? 'except' : null
}

function selectCore(parsing: Parsing): SelectCore | ValuesCore {
  const { cursor } = parsing
  if (cursor.takeWord('VALUES')) {
    return { kind: 'values', rows: cursor.list(() => valuesRow(parsing)) }
  }
  if (!startsSelect(cursor)) {
    cursor.fail(`statement ${cursor.token.value.toLowerCase().slice(0, 20)}`)
  }
  cursor.expectWord('SELECT')
  const distinct = cursor.takeWord('DISTINCT')
  if (!distinct) {
    cursor.takeWord('ALL')
  }
  const columns = cursor.list(() => resultColumn(parsing))
  const from = cursor.takeWord('FROM') ? parseFrom(parsing) : null
  const where = cursor.takeWord('WHERE') ? parseExpression(parsing) : null
  const groupBy = cursor.takeWord('GROUP', 'BY') ? cursor.list(() => parseExpression(parsing)) : []
  const having = cursor.takeWord('HAVING') ? parseExpression(parsing) : null
  const windows = cursor.takeWord('WINDOW') ? cursor.list(() => namedWindow(parsing)) : []
  return { kind: 'core', distinct, columns, from, where, groupBy, having, windows }
}

function valuesRow(parsing: Parsing): readonly Expression[] {
  const { cursor } = parsing
  cursor.expectOperator('(')
  const items = cursor.list(() => parseExpression(parsing))
  cursor.expectOperator(')')
  return items
}

function resultColumn(parsing: Parsing): ResultColumn {
  const { cursor } = parsing
  if (cursor.takeOperator('*')) {
    return { kind: 'star', table: null }
  }
  if (cursor.isOperator('.', 1) && cursor.isOperator('*', 2)) {
    const table = parseName(parsing)
    cursor.next()
    cursor.next()
    return { kind: 'star', table }
  }
  const expression = parseExpression(parsing)
  return { kind: 'expression', expression, alias: parseAlias(parsing) }
}

/** `AS name`, or a bare name that cannot begin the next clause. SQLite takes 'name' as well. */
export function parseAlias(parsing: Parsing): string | null {
  const { cursor } = parsing
  const explicit = cursor.takeWord('AS')
  const token = cursor.token
  if (token.kind === 'name' || token.kind === 'text') {
    cursor.next()
    return token.value
  }
  if (explicit) {
    return parseName(parsing)
  }
  if (token.kind === 'word' && mayBeBareAlias(token.word)) {
    cursor.next()
    return token.value
  }
  return null
}

function namedWindow(parsing: Parsing): NamedWindow {
  const name = parseName(parsing)
  parsing.cursor.expectWord('AS')
  return { name, window: parseWindow(parsing) }
}
