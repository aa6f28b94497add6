import type { TokenCursor } from './token-cursor.js'
import type { Token } from './tokenize.js'

/**
 * SQLite looks for the affinity in the text as it stands, comments and all, but where it begins
 * with a quote in the first word alone (https://sqlite.org/src/file/src/parse.y, `typetoken`).
 */
export function parseTypeName(cursor: TokenCursor): string {
  const first = cursor.token
  while (isTypeWord(cursor.token)) {
    cursor.next()
  }
  if (cursor.lastEnd > first.start && cursor.takeOperator('(')) {
    parseSignedNumber(cursor)
    if (cursor.takeOperator(',')) {
      parseSignedNumber(cursor)
    }
    cursor.expectOperator(')')
  }
  const name = first.kind === 'word' ? cursor.textSince(first) : first.value
  return cursor.lastEnd > first.start ? name.toUpperCase() : ''
}

function isTypeWord({ kind }: Token): boolean {
  return kind === 'word' || kind === 'name' || kind === 'text'
}

function parseSignedNumber(cursor: TokenCursor): void {
  if (cursor.isOperator('-') || cursor.isOperator('+')) {
    cursor.next()
  }
  const { kind } = cursor.next()
  if (kind !== 'integer' && kind !== 'real') {
    cursor.fail('number expected')
  }
}
