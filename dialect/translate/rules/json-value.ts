import { keep } from '../keep.js'
import { asValue, constantText, raiseWhen, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { bindOnce } from './bind-once.js'
import { textLiteral } from './literals.js'

/** Control characters whose code has a letter: DuckDB writes \u001B where SQLite has \u001b. */
const lettered = '[\\x0B\\x0E\\x0F\\x1A-\\x1F]'

/**
 * The JSON text of a value, as SQLite's json_array and json_object put it into their result: a
 * VARCHAR that is never NULL.
 */
export function jsonValue(value: Typed): string {
  const operand = asValue(value)
  switch (operand.type) {
    case 'null':
      return orNull(`CAST(${operand.sql} AS VARCHAR)`)
    case 'int':
    case 'real':
      return orNull(asText(operand).sql)
    case 'text':
      return textValue(operand)
    default:
      return keep(`${operand.type} in JSON`)
  }
}

function textValue(text: Typed): string {
  if (text.json === 'unknown') {
    return keep('text in JSON that may be JSON itself')
  }
  return orNull(text.json ? text.sql : jsonString(text))
}

/** A text as a JSON string in its quotes; NULL of NULL. */
export function jsonString(text: Typed): string {
  const written = text.literal ? constantText(text) : null
  if (written !== null) {
    return textLiteral(JSON.stringify(written)).sql
  }
  return bindOnce(text.sql, 'htap__q', (x) =>
    raiseWhen(`regexp_matches(${x}, '${lettered}')`, `CAST(to_json(${x}) AS VARCHAR)`),
  )
}

/** A label of an object: never NULL. */
export function jsonLabel(label: Typed): string {
  const text = jsonString(label)
  return label.literal ? text : bindOnce(text, 'htap__l', (it) => raiseWhen(`(${it} IS NULL)`, it))
}

function orNull(sql: string): string {
  return `coalesce(${sql}, 'null')`
}
