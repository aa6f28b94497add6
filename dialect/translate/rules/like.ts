import { quoteText } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import { asValue, derived, nullOf, type Typed } from '../typed.js'

/**
 * `operand LIKE pattern [ESCAPE escape]` as a regular expression: SQLite folds ASCII letters
 * only, and no LIKE or ILIKE of DuckDB does.
 *
 * @param escaped One character, or null.
 */
export function like(
  operand: Typed,
  pattern: Typed,
  escaped: string | null,
  negated: boolean,
): Typed {
  const value = asValue(operand)
  if (value.type === 'null' || pattern.type === 'null') {
    return nullOf([value, pattern])
  }
  const subject =
    value.type === 'int'
      ? `CAST(${value.sql} AS VARCHAR)`
      : value.type === 'text'
        ? value.sql
        : null
  if (subject === null || pattern.type !== 'text') {
    return keep(`${value.type} like ${pattern.type}`)
  }
  const expression = patternExpression(pattern, escaped)
  const match = `regexp_full_match(${subject}, ${expression}, 's')`
  return derived(negated ? `(NOT ${match})` : match, 'bool', [value, pattern], {
    bound: 1,
    collated: false,
  })
}

function patternExpression(pattern: Typed, escaped: string | null): string {
  if (pattern.literal !== null) {
    return quoteText(regularExpression(pattern.literal, escaped))
  }
  if (!pattern.constant || escaped !== null) {
    keep('like with a pattern per row')
  }
  return dynamicExpression(pattern.sql)
}

function regularExpression(pattern: string, escaped: string | null): string {
  const characters = [...pattern]
  let expression = ''
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? ''
    if (character === escaped) {
      i += 1
      expression += literally(characters[i] ?? keep('like pattern ends in its escape'))
    } else if (character === '%') {
      expression += '.*'
    } else {
      expression += character === '_' ? '.' : literally(character)
    }
  }
  return expression
}

function literally(character: string): string {
  if (/[A-Za-z]/.test(character)) {
    return `[${character.toLowerCase()}${character.toUpperCase()}]`
  }
  return /[0-9]/.test(character) || character > '\x7f' ? character : `\\${character}`
}

/**
 * The same from a parameter, character by character, once per statement. A column hides a lambda's
 * parameter of the same name, hence the odd one.
 */
function dynamicExpression(pattern: string): string {
  return `array_to_string(list_transform(regexp_extract_all(${pattern}, '(?s).'), lambda htap__c: CASE \
WHEN htap__c = '%' THEN '.*' WHEN htap__c = '_' THEN '.' \
WHEN htap__c >= 'a' AND htap__c <= 'z' AND strlen(htap__c) = 1 THEN '[' || htap__c || upper(htap__c) || ']' \
WHEN htap__c >= 'A' AND htap__c <= 'Z' AND strlen(htap__c) = 1 THEN '[' || lower(htap__c) || htap__c || ']' \
WHEN strlen(htap__c) > 1 OR (htap__c >= '0' AND htap__c <= '9') THEN htap__c ELSE '\\' || htap__c END), '')`
}
