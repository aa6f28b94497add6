import { constantInteger, derived, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { bindOnce } from './bind-once.js'
import { castTo } from './casts.js'

/**
 * substr(x, start, length) as SQLite counts (https://sqlite.org/lang_corefunc.html#substr): a
 * negative start counts from the end, a start of zero is a place before the first character, and
 * a negative length takes the characters before the start.
 */
export function substring([x, start, length]: readonly Typed[]): Typed | null {
  if (x === undefined || start === undefined) {
    return null
  }
  const text = asText(x)
  const known = { ascii: text.ascii }
  const first = constantInteger(start)
  const count = length === undefined ? null : constantInteger(length)
  if (first !== null && first > 0 && (length === undefined || (count !== null && count >= 0))) {
    const rest = count === null ? '' : `, ${count}`
    return derived(`substring(${text.sql}, ${first}${rest})`, 'text', [text], known)
  }
  const from = first === null ? castTo(start, 'INTEGER').sql : String(first)
  const limit =
    length === undefined ? null : count === null ? castTo(length, 'INTEGER').sql : String(count)
  const unknown = [
    ...(first === null ? [from] : []),
    ...(count === null && limit !== null ? [limit] : []),
  ]
  const sql = bindOnce(text.sql, 'htap__t', (it) =>
    unknown.length === 0
      ? counted(it, from, limit)
      : `(CASE WHEN ${unknown.map((number) => `(${number} IS NOT NULL)`).join(' AND ')} THEN ${counted(it, from, limit)} END)`,
  )
  return derived(sql, 'text', [text, start, ...(length === undefined ? [] : [length])], known)
}

/** The window [begin, end) of characters from 0, cut to what is there. */
function counted(text: string, start: string, length: string | null): string {
  const begin = `(CASE WHEN ${start} > 0 THEN ${start} - 1 WHEN ${start} < 0 THEN length(${text}) + ${start} ELSE -1 END)`
  if (length === null) {
    return `substring(${text}, greatest(${begin}, 0) + 1)`
  }
  // Before the first character a positive length loses what lies there; so does a negative one.
  const low = `(CASE WHEN ${length} < 0 THEN greatest(${begin}, 0) + ${length} ELSE ${begin} END)`
  const high = `(CASE WHEN ${length} < 0 THEN greatest(${begin}, 0) ELSE ${begin} + ${length} END)`
  return `substring(${text}, greatest(${low}, 0) + 1, greatest(${high} - greatest(${low}, 0), 0))`
}
