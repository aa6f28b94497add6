import { derived, raiseWhen, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'

const space = '[ \\t\\n\\v\\f\\r]*'
const decimal = '([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?'

/** What SQLite's numeric affinity takes for a number (https://sqlite.org/datatype3.html#affinity). */
export const numericText = `${space}[+-]?${decimal}${space}`
export const numericTextPattern = new RegExp(`^${numericText}$`)

/** Up to so many digits every conversion of decimals gives the same double. */
const digitsMax = 15

/** The integer at the start of a text, 0 if there is none: CAST(x AS INTEGER). */
export function textToInteger(text: Typed): Typed {
  const sql = bindOnce(text.sql, 'htap__i', (x) => {
    const prefix = `regexp_extract(${x}, '^${space}([+-]?[0-9]+)', 1)`
    const number = `CAST(CASE WHEN ${prefix} = '' THEN '0' ELSE ${prefix} END AS BIGINT)`
    return raiseWhen(`(strlen(${prefix}) > 18)`, number)
  })
  return derived(sql, 'int', [text], { bound: 1e18, collated: false })
}

/** The number at the start of a text as a real: CAST(x AS REAL). */
export function textToReal(text: Typed): Typed {
  const known = { bound: Number.POSITIVE_INFINITY, collated: false }
  return derived(prefixNumber(text.sql), 'real', [text], known)
}

/** As an integer or a real, whatever the text looks like: an operand of arithmetic. */
export function textToNumber(text: Typed): Typed {
  const known = { bound: Number.POSITIVE_INFINITY, collated: false }
  return derived(prefixNumber(text.sql), 'num', [text], known)
}

function prefixNumber(text: string): string {
  return bindOnce(text, 'htap__n', (x) => {
    const prefix = `regexp_extract(${x}, '^${space}([+-]?${decimal})', 1)`
    const digits = `strlen(ltrim(regexp_replace(${prefix}, '[eE].*$|[-+.]', '', 'g'), '0'))`
    const exponent = `abs(CAST('0' || regexp_extract(${prefix}, '[eE][+-]?([0-9]{1,3})', 1) AS BIGINT))`
    const number = `CAST(CASE WHEN ${prefix} = '' THEN '0' ELSE ${prefix} END AS DOUBLE)`
    // Of '-0' SQLite makes an integer without a sign, of '-0.0' a real with one.
    const isDoubtful = `((${digits} > ${digitsMax}) OR (${exponent} > 22) OR ((${number} = 0) AND starts_with(${prefix}, '-')))`
    return raiseWhen(isDoubtful, number)
  })
}
