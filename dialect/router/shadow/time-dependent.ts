import { parseSelect } from '../../translate/parse/parse-select.js'
import type { Expression } from '../../translate/parse/syntax.js'
import { childrenOf } from '../../translate/parse/visit-expression.js'
import type { Translated } from '../../translate/translation.js'

const clockWords = /\b(?:now|subsec|subsecond|current_date|current_time|current_timestamp)\b/i

/** A Buffer is read as text up to its first NUL. */
const clockValue = /^(?:now|subsec|subsecond)(?:\0|$)/i

/**
 * Which arguments of SQLite's date functions are moments. Where one is missing, it is now
 * (https://sqlite.org/lang_datefunc.html).
 */
const momentsOf: ReadonlyMap<string, readonly number[]> = new Map([
  ['date', [0]],
  ['time', [0]],
  ['datetime', [0]],
  ['julianday', [0]],
  ['unixepoch', [0]],
  ['strftime', [1]],
  ['timediff', [0, 1]],
])

/** A moment of these kinds is what it says; any other may turn out to be the text `now`. */
const plainKinds: ReadonlySet<Expression['kind']> = new Set([
  'null',
  'integer',
  'real',
  'text',
  'parameter',
])

/**
 * The query may answer otherwise a moment later. Says so rather too often: what it says only
 * keeps an answer from being compared.
 */
export function isTimeDependent(
  sql: string,
  parameters: readonly unknown[],
  { assumptions, parameters: bindings }: Translated,
): boolean {
  // No column's value stands for the clock in DuckDB, so it is in what SQLite computes for a
  // query, which also comes from the views in it.
  const computed = [...assumptions, ...bindings].flatMap(({ source }) =>
    source.kind === 'expression' ? [source.sql] : [],
  )
  return (
    [sql, ...computed].some((text) => clockWords.test(text)) ||
    parameters.some(isClockValue) ||
    [...new Set(computed)].some(mayReadClock)
  )
}

function isClockValue(value: unknown): boolean {
  const text = value instanceof Uint8Array ? Buffer.from(value.subarray(0, 10)).toString() : value
  return typeof text === 'string' && clockValue.test(text)
}

/** @param text an expression without a column */
function mayReadClock(text: string): boolean {
  const parsed = parseSelect(`select ${text}`)
  if (parsed.kind !== 'select' || parsed.select.body.kind !== 'core') {
    return true
  }
  return parsed.select.body.columns.some(
    (column) => column.kind === 'star' || hasOpenMoment(column.expression),
  )
}

function hasOpenMoment(node: Expression): boolean {
  const moments = (node.kind === 'function' && momentsOf.get(node.name)) || []
  return (
    moments.some((index) => !isPlainMoment(childrenOf(node)[index])) ||
    childrenOf(node).some(hasOpenMoment)
  )
}

function isPlainMoment(node: Expression | undefined): boolean {
  return (
    node !== undefined &&
    (plainKinds.has(node.kind) || (node.kind === 'function' && momentsOf.has(node.name)))
  )
}
