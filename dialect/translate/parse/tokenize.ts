/** One lexical element of SQLite's language; `start` and `end` are offsets into the text. */
export interface Token {
  readonly kind: TokenKind
  /**
   * 'word': the upper-case spelling; 'name' and 'text': the value without quotes; 'blob': the hex
   * digits; 'operator': the operator; else the source text.
   */
  readonly value: string
  readonly start: number
  readonly end: number
}

export type TokenKind =
  | 'word'
  | 'name'
  | 'text'
  | 'blob'
  | 'integer'
  | 'real'
  | 'parameter'
  | 'operator'
  | 'end'

const blank = /[ \t\n\f\r]+/y
const comment = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
const number = /0[xX][\da-fA-F]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?/y
const blobLiteral = /[xX]'((?:[\da-fA-F]{2})*)'/y
const quoted = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]/y
const operator = /->>|->|\|\||<<|>>|<=|<>|>=|==|!=|[-+*/%&|~<>=(),.;]/y
const parameter = /\?(?!\d)/y

/**
 * Splits a statement into tokens as SQLite's tokenizer does (https://sqlite.org/lang_expr.html,
 * https://sqlite.org/src/file/src/tokenize.c); null when something is not understood.
 */
export function tokenize(sql: string): readonly Token[] | null {
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    const skipped = blanksEnd(sql, at)
    if (skipped > at) {
      at = skipped
      continue
    }
    const token = tokenAt(sql, at)
    if (token === null) {
      return null
    }
    tokens.push(token)
    at = token.end
  }
  tokens.push({ kind: 'end', value: '', start: at, end: at })
  return tokens
}

/** Behind blanks and comments. */
function blanksEnd(sql: string, at: number): number {
  const code = sql.charCodeAt(at)
  if (code === 32 || (code >= 9 && code <= 13)) {
    return endOf(blank, sql, at) ?? at
  }
  return code === 45 || code === 47 ? (endOf(comment, sql, at) ?? at) : at
}

function tokenAt(sql: string, at: number): Token | null {
  const first = sql.charCodeAt(at)
  // x'00', of which the x would be a word.
  const isBlob = (first === 120 || first === 88) && sql.charCodeAt(at + 1) === 39
  const blob = isBlob ? match(blobLiteral, sql, at) : null
  if (blob !== null) {
    return { kind: 'blob', value: blob.groups[0] ?? '', start: at, end: blob.end }
  }
  const end = endOf(word, sql, at)
  if (end !== null) {
    return { kind: 'word', value: sql.slice(at, end), start: at, end }
  }
  return quotedAt(sql, at) ?? numberAt(sql, at) ?? symbolAt(sql, at)
}

function quotedAt(sql: string, at: number): Token | null {
  if (!'\'"`['.includes(sql.charAt(at))) {
    return null
  }
  const found = match(quoted, sql, at)
  if (found === null) {
    return null
  }
  const [text, double, tick, bracket] = found.groups
  const end = found.end
  if (text !== undefined) {
    return { kind: 'text', value: text.replaceAll("''", "'"), start: at, end }
  }
  if (double !== undefined) {
    return { kind: 'name', value: double.replaceAll('""', '"'), start: at, end }
  }
  if (tick !== undefined) {
    return { kind: 'name', value: tick.replaceAll('``', '`'), start: at, end }
  }
  return { kind: 'name', value: bracket ?? '', start: at, end }
}

function numberAt(sql: string, at: number): Token | null {
  const found = match(number, sql, at)
  // `1abc` is an illegal token in SQLite; a number is never followed by a letter.
  if (found === null || endOf(word, sql, found.end) !== null) {
    return null
  }
  const integer = /^(?:0[xX][\da-fA-F]+|[\d_]+)$/.test(found.text)
  const value = found.text.replaceAll('_', '')
  return { kind: integer ? 'integer' : 'real', value, start: at, end: found.end }
}

function symbolAt(sql: string, at: number): Token | null {
  const mark = endOf(parameter, sql, at)
  if (mark !== null) {
    return { kind: 'parameter', value: '?', start: at, end: mark }
  }
  const end = endOf(operator, sql, at)
  return end === null ? null : { kind: 'operator', value: sql.slice(at, end), start: at, end }
}

/** Where a match that begins here ends; null if there is none. */
function endOf(pattern: RegExp, sql: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(sql) ? pattern.lastIndex : null
}

function match(
  pattern: RegExp,
  sql: string,
  at: number,
): { text: string; end: number; groups: readonly (string | undefined)[] } | null {
  pattern.lastIndex = at
  const found = pattern.exec(sql)
  return found === null ? null : { text: found[0], end: pattern.lastIndex, groups: found.slice(1) }
}
