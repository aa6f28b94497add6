import type { Token } from './tokenize.js'

/** Thrown inside the parser only, and caught at its door. */
export class NotUnderstood extends Error {}

/** How deep expressions and subqueries may nest; SQLite's own limit is 1000. */
const depthMax = 200

/** A place in a list of tokens, with the questions a recursive-descent parser asks. */
export class TokenCursor {
  readonly #sql: string
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #parameters = 0

  /** @param sql The text that was split into the tokens. */
  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql
    this.#tokens = tokens
  }

  get token(): Token {
    return this.peek(0)
  }

  /** The end of the token before this one. */
  get lastEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0
  }

  /** The text from a token to the one before this, with what stands between them. */
  textSince({ start }: Token): string {
    return this.#sql.slice(start, this.lastEnd)
  }

  get parameterCount(): number {
    return this.#parameters
  }

  peek(distance: number): Token {
    const last = this.#tokens.length - 1
    return this.#tokens[Math.min(this.#at + distance, last)] as Token
  }

  next(): Token {
    const token = this.token
    this.#at += 1
    return token
  }

  nextParameter(): number {
    this.next()
    this.#parameters += 1
    return this.#parameters - 1
  }

  isWord(word: string, distance = 0): boolean {
    return this.peek(distance).word === word
  }

  isOperator(operator: string, distance = 0): boolean {
    const token = this.peek(distance)
    return token.kind === 'operator' && token.value === operator
  }

  takeWord(...words: readonly string[]): boolean {
    for (let i = 0; i < words.length; i += 1) {
      if (!this.isWord(words[i] as string, i)) {
        return false
      }
    }
    this.#at += words.length
    return true
  }

  takeOperator(operator: string): boolean {
    if (!this.isOperator(operator)) {
      return false
    }
    this.#at += 1
    return true
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) {
      this.fail(`${word} expected`)
    }
  }

  expectOperator(operator: string): void {
    if (!this.takeOperator(operator)) {
      this.fail(`${operator} expected`)
    }
  }

  nested<T>(parse: () => T): T {
    this.#depth += 1
    if (this.#depth > depthMax) {
      this.fail('nested too deeply')
    }
    const value = parse()
    this.#depth -= 1
    return value
  }

  list<T>(parse: () => T): readonly T[] {
    const items = [parse()]
    while (this.takeOperator(',')) {
      items.push(parse())
    }
    return items
  }

  fail(why: string): never {
    throw new NotUnderstood(why)
  }
}
