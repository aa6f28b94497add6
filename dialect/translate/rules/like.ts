import { quoteText } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import { asValue, constantText, derived, keepDoubtful, nullOf, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { bindOnce } from './bind-once.js'
import { isAscii } from './literals.js'
import { type Rule, use } from './rule.js'

export interface PatternRule extends Rule {
  readonly kind: 'pattern'
  /** @param escaped One character, or null. */
  readonly apply: (subject: Typed, pattern: Typed, escaped: string | null) => string
}

const source = 'https://sqlite.org/lang_expr.html#like: ASCII letters are folded, and only they'

export const likeRule: PatternRule = {
  kind: 'pattern',
  name: 'like',
  operands: 'textual, text',
  form: "regexp_full_match(x, '...', 's') with [aA] for every ASCII letter; ILIKE where both are ASCII",
  guard: 'with ESCAPE the pattern must be a constant',
  source,
  examples: [
    "s like '%a%'",
    "t like 'Z%'",
    "t like '%SS%'",
    "s like '_ob'",
    "s not like 'b%'",
    "s like '100\\%' escape '\\'",
    "i like '4%'",
    "q like '%.5'",
    "s like substr(s, 1, 1) || '%'",
    't like t',
    "s like '%[a]%'",
  ],
  apply: (subject, pattern, escaped) => {
    // A pattern that changes from call to call must not bind the translation to one of them.
    const constant = pattern.literal || escaped !== null ? constantText(pattern) : null
    if (constant === null) {
      return escaped === null
        ? `regexp_full_match(${subject.sql}, ${bindOnce(pattern.sql, 'htap__p', dynamicExpression)}, 's')`
        : keep('like with escape and a pattern per row')
    }
    const isFoldable = subject.ascii && isAscii(constant) && !constant.includes('\\')
    return isFoldable && escaped === null
      ? `(${subject.sql} ILIKE ${quoteText(constant)})`
      : `regexp_full_match(${subject.sql}, ${quoteText(likeExpression(constant, escaped))}, 's')`
  },
}

const globRule: PatternRule = {
  kind: 'pattern',
  name: 'glob',
  operands: 'textual, text',
  form: "regexp_full_match(x, '...', 's')",
  guard: 'the pattern must be a constant',
  source:
    'https://sqlite.org/lang_expr.html#glob: [^...] negates a set, a backslash is nothing special',
  examples: [
    "s glob 'a*'",
    "s glob '*[a-c]*'",
    "t glob '*[^a-z]'",
    "s glob '?ob'",
    "s not glob 'A*'",
    "t glob '*ß*'",
    "s glob '*[]-]*'",
    "i glob '4*'",
  ],
  refused: ['s glob t'],
  apply: (subject, pattern) => {
    const constant = constantText(pattern)
    return constant === null
      ? keep('glob with a pattern per row')
      : `regexp_full_match(${subject.sql}, ${quoteText(globExpression(constant))}, 's')`
  },
}

export const patternRules: readonly PatternRule[] = [likeRule, globRule]

/** `operand LIKE pattern [ESCAPE escape]`, or GLOB. */
export function matchPattern(
  operator: 'like' | 'glob',
  operand: Typed,
  pattern: Typed,
  escaped: string | null,
): Typed {
  const value = asValue(operand)
  if (value.type === 'null' || pattern.type === 'null') {
    return nullOf([value, pattern])
  }
  if (pattern.type !== 'text' || !['text', 'int', 'real'].includes(value.type)) {
    return keep(`${value.type} ${operator} ${pattern.type}`)
  }
  keepDoubtful([value, pattern])
  if (pattern.collated && !pattern.constant) {
    keep(`${operator} with a doubtful pattern`)
  }
  const rule = operator === 'like' ? likeRule : globRule
  const sql = use(rule).apply(asText(value), pattern, escaped)
  return derived(sql, 'bool', [value, pattern], { bound: 1, collated: false })
}

function likeExpression(pattern: string, escaped: string | null): string {
  const characters = [...pattern]
  let expression = ''
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? ''
    if (character === escaped) {
      i += 1
      expression += eitherCase(characters[i] ?? keep('like pattern ends in its escape'))
    } else if (character === '%') {
      expression += '.*'
    } else {
      expression += character === '_' ? '.' : eitherCase(character)
    }
  }
  return expression
}

function eitherCase(character: string): string {
  return /[A-Za-z]/.test(character)
    ? `[${character.toLowerCase()}${character.toUpperCase()}]`
    : literally(character)
}

function literally(character: string): string {
  return /[0-9A-Za-z]/.test(character) || character > '\x7f' ? character : `\\${character}`
}

function globExpression(pattern: string): string {
  const characters = [...pattern]
  let expression = ''
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? ''
    if (character === '*') {
      expression += '.*'
    } else if (character === '?') {
      expression += '.'
    } else if (character === '[') {
      const end = setEnd(characters, i)
      expression += setExpression(characters.slice(i + 1, end))
      i = end
    } else {
      expression += literally(character)
    }
  }
  return expression
}

/** A `]` right behind the opening bracket, or behind its ^, belongs to the set. */
function setEnd(characters: readonly string[], start: number): number {
  const first = start + (characters[start + 1] === '^' ? 2 : 1)
  const end = characters.indexOf(']', first + 1)
  return end < 0 ? keep('glob set without an end') : end
}

function setExpression(members: readonly string[]): string {
  const negated = members[0] === '^'
  const rest = negated ? members.slice(1) : members
  let inside = ''
  for (let i = 0; i < rest.length; i += 1) {
    const low = rest[i] ?? ''
    const high = rest[i + 2]
    const isBracket = i === 0 && low === ']'
    if (rest[i + 1] === '-' && high !== undefined && !isBracket) {
      if (low > high) {
        keep('glob set with an empty range')
      }
      inside += `${literally(low)}-${literally(high)}`
      i += 2
    } else {
      inside += literally(low)
    }
  }
  return `[${negated ? '^' : ''}${inside}]`
}

/** The same as `likeExpression` from a text per row or statement, character by character. */
function dynamicExpression(pattern: string): string {
  return `array_to_string(list_transform(regexp_extract_all(${pattern}, '(?s).'), lambda htap__c: CASE \
WHEN htap__c = '%' THEN '.*' WHEN htap__c = '_' THEN '.' \
WHEN htap__c >= 'a' AND htap__c <= 'z' AND strlen(htap__c) = 1 THEN '[' || htap__c || upper(htap__c) || ']' \
WHEN htap__c >= 'A' AND htap__c <= 'Z' AND strlen(htap__c) = 1 THEN '[' || lower(htap__c) || htap__c || ']' \
WHEN strlen(htap__c) > 1 OR (htap__c >= '0' AND htap__c <= '9') THEN htap__c ELSE '\\' || htap__c END), '')`
}
