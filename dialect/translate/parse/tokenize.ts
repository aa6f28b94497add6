/** One lexical element of SQLite's language; `start` and `end` are offsets into the text. */
export interface Token {
  readonly kind: TokenKind
  /** 'name' and 'text': the value without quotes; 'blob': the hex digits; else the source text. */
  readonly value: string
  /** A word in capitals, as keywords are compared; empty for any other token. */
  readonly word: string
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
  tokens.push(tokenOf('end', '', at, at))
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
    return tokenOf('blob', blob.groups[0] ?? '', at, blob.end)
  }
  const end = endOf(word, sql, at)
  if (end !== null) {
    const value = sql.slice(at, end)
    return { kind: 'word', value, word: value.toUpperCase(), start: at, end }
  }
  return quotedAt(sql, at) ?? numberAt(sql, at) ?? symbolAt(sql, at)
}

function quotedAt(sql: string, at: number): Token | null {
  const open = sql.charAt(at)
  if (open === '[') {
    const close = sql.indexOf(']', at)
    return close < 0 ? null : tokenOf('name', sql.slice(at + 1, close), at, close + 1)
  }
  if (open !== "'" && open !== '"' && open !== '`') {
    return null
  }
  let close = sql.indexOf(open, at + 1)
  let isDoubled = false
  while (close >= 0 && sql.charAt(close + 1) === open) {
    isDoubled = true
    close = sql.indexOf(open, close + 2)
  }
  if (close < 0) {
    return null
  }
  const inside = sql.slice(at + 1, close)
  const value = isDoubled ? inside.replaceAll(open + open, open) : inside
  return tokenOf(open === "'" ? 'text' : 'name', value, at, close + 1)
}

function numberAt(sql: string, at: number): Token | null {
  const found = match(number, sql, at)
  // `1abc` is an illegal token in SQLite; a number is never followed by a letter.
  if (found === null || endOf(word, sql, found.end) !== null) {
    return null
  }
  const integer = /^(?:0[xX][\da-fA-F]+|[\d_]+)$/.test(found.text)
  const value = found.text.replaceAll('_', '')
  return tokenOf(integer ? 'integer' : 'real', value, at, found.end)
}

function symbolAt(sql: string, at: number): Token | null {
  const mark = endOf(parameter, sql, at)
  if (mark !== null) {
    return tokenOf('parameter', '?', at, mark)
  }
  const end = endOf(operator, sql, at)
  return end === null ? null : tokenOf('operator', sql.slice(at, end), at, end)
}

function tokenOf(kind: TokenKind, value: string, start: number, end: number): Token {
  return { kind, value, word: '', start, end }
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
