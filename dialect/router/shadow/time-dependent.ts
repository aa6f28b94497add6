import type { Translated } from '../../translate/translation.js'

/** Words and calls with which SQLite reads the clock. */
const clock =
  /\b(?:now|subsec|subsecond|current_date|current_time|current_timestamp)\b|\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\bstrftime\s*\(\s*(?:'[^']*'|\?)\s*\)/i

const clockValue = /^(?:now|subsec|subsecond)$/i

/**
 * The query may answer otherwise a moment later. Says so rather too often: what it says only
 * keeps an answer from being compared.
 */
export function isTimeDependent(
  sql: string,
  parameters: readonly unknown[],
  { assumptions, parameters: bindings }: Translated,
): boolean {
  // What SQLite computes for a query also comes from the views in it.
  const computed = [...assumptions, ...bindings].flatMap(({ source }) =>
    source.kind === 'expression' ? [source.sql] : [],
  )
  return (
    [sql, ...computed].some((text) => clock.test(text)) ||
    parameters.some((value) => typeof value === 'string' && clockValue.test(value))
  )
}
