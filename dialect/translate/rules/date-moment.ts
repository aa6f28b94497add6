import { constantText, derived, raiseWhen, type StaticType, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'
import { readShift, type Shift, shifted, yearSecondsMax, yearsMoved } from './date-shift.js'

/** A moment as a date function of SQLite gets it: a value and its modifiers. */
export interface Moment {
  readonly value: Typed
  readonly shifts: readonly Shift[]
}

/** The moment at hand inside an expression, in as many forms as are cheap. */
export interface MomentForms {
  /** A TIMESTAMP. */
  readonly stamp: string
  /** A text that begins with the date; null where there is none but by formatting. */
  readonly date: string | null
}

const yearMax = 9999
/** Seconds from 1970 to the first and the last second of the years 1 to 9999. */
const secondsMin = -62_135_596_800
const secondsMax = 253_402_300_799

const day = '[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])'
const time = '(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,3})?Z?)?'
const canonical = `${day}(?:[ T]${time})?`

/** Null when a modifier is none of the proven ones. */
export function readMoment([value, ...modifiers]: readonly Typed[]): Moment | null {
  const words = modifiers.map(constantText)
  const isSeconds = value?.type !== 'text'
  // A number is a Julian day unless the first modifier says that it counts seconds.
  if (value === undefined || (isSeconds && words.shift()?.toLowerCase() !== 'unixepoch')) {
    return null
  }
  const shifts: Shift[] = []
  for (const word of words) {
    const shift = word === null ? null : readShift(word)
    if (shift === null) {
      return null
    }
    shifts.push(shift)
  }
  return yearsMoved(shifts) < yearMax / 2 ? { value, shifts } : null
}

/**
 * A function of a moment. Raises for every value that is no plain date and time, and where the
 * modifiers may lead out of the years 1 to 9999: SQLite knows many more forms, and makes NULL of
 * the rest.
 */
export function ofMoment(
  { value, shifts }: Moment,
  type: StaticType,
  known: Partial<Typed>,
  body: (forms: MomentForms) => string,
): Typed {
  const years = yearsMoved(shifts)
  const sql = bindOnce(value.sql, 'htap__d', (x) =>
    value.type === 'text'
      ? raiseWhen(isDoubtfulText(x, years), body(formsOfText(x, shifts)))
      : raiseWhen(isDoubtfulSeconds(x, years), body(formsOfSeconds(x, shifts))),
  )
  return derived(sql, type, [value], known)
}

/** A day that the month does not have is a day of the next month for SQLite, and none for DuckDB. */
function isDoubtfulText(x: string, years: number): string {
  const [first, last] = [1 + years, yearMax - years].map((year) => String(year).padStart(4, '0'))
  const isCanonical = `regexp_full_match(${x}, '${canonical}')`
  // The letter is beyond every character that may follow a year.
  return `((${x} IS NOT NULL) AND NOT (${isCanonical} AND (${x} BETWEEN '${first}' AND '${last}a') AND (TRY_CAST(${x} AS TIMESTAMP) IS NOT NULL)))`
}

function isDoubtfulSeconds(x: string, years: number): string {
  const margin = years * yearSecondsMax
  return `(NOT (${x} BETWEEN ${secondsMin + margin} AND ${secondsMax - margin}))`
}

function formsOfText(x: string, shifts: readonly Shift[]): MomentForms {
  const stamp = shifted(`CAST(${x} AS TIMESTAMP)`, shifts)
  const [only, ...more] = shifts
  if (only === undefined) {
    return { stamp, date: x }
  }
  if (only.kind !== 'start' || more.length > 0) {
    return { stamp, date: null }
  }
  const date = {
    day: x,
    month: `(substring(${x}, 1, 7) || '-01')`,
    year: `(substring(${x}, 1, 4) || '-01-01')`,
  }[only.of]
  return { stamp, date }
}

function formsOfSeconds(x: string, shifts: readonly Shift[]): MomentForms {
  return { stamp: shifted(`make_timestamp(${x} * 1000000)`, shifts), date: null }
}
