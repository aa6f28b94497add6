import { bindOnce } from './bind-once.js'

/** What the modifiers of a date function do (https://sqlite.org/lang_datefunc.html#modifiers). */
export type Shift =
  | { readonly kind: 'seconds'; readonly count: number }
  | { readonly kind: 'months'; readonly count: number }
  | { readonly kind: 'start'; readonly of: 'day' | 'month' | 'year' }
  | { readonly kind: 'weekday'; readonly day: number }

const daySeconds = 86_400
const secondsOf: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: daySeconds,
}
const monthsOf: Readonly<Record<string, number>> = { month: 1, year: 12 }
export const yearSecondsMax = 366 * daySeconds

/** Null for a modifier that is not known to do the same in DuckDB. */
export function readShift(modifier: string): Shift | null {
  const start = /^start of (day|month|year)$/i.exec(modifier)
  if (start !== null) {
    return { kind: 'start', of: start[1]?.toLowerCase() as 'day' | 'month' | 'year' }
  }
  const weekday = /^weekday ([0-6])$/i.exec(modifier)
  if (weekday !== null) {
    return { kind: 'weekday', day: Number(weekday[1]) }
  }
  const span = /^([+-]?\d{1,9}) +(second|minute|hour|day|month|year)s?$/i.exec(modifier)
  const unit = span?.[2]?.toLowerCase() ?? ''
  const count = Number(span?.[1])
  const [seconds, months] = [secondsOf[unit], monthsOf[unit]]
  if (seconds !== undefined) {
    return { kind: 'seconds', count: count * seconds }
  }
  return months === undefined ? null : { kind: 'months', count: count * months }
}

/** No moment is moved by more years than this, in the end or in between. */
export function yearsMoved(shifts: readonly Shift[]): number {
  let seconds = 0
  for (const shift of shifts) {
    if (shift.kind === 'seconds') {
      seconds += Math.abs(shift.count)
    } else if (shift.kind === 'months') {
      // One more for the days by which SQLite runs over the end of a shorter month.
      seconds += (Math.abs(shift.count) + 1) * 31 * daySeconds
    } else if (shift.kind === 'weekday') {
      seconds += 6 * daySeconds
    }
  }
  return Math.ceil(seconds / (365 * daySeconds))
}

/** A TIMESTAMP after the shifts, one after the other. */
export function shifted(stamp: string, shifts: readonly Shift[]): string {
  return shifts.reduce((moved, shift, i) => shiftedOnce(moved, shift, `htap__m${i}`), stamp)
}

function shiftedOnce(stamp: string, shift: Shift, name: `htap__${string}`): string {
  switch (shift.kind) {
    case 'seconds':
      return `(${stamp} + to_seconds(${shift.count}))`
    case 'start':
      return `CAST(date_trunc('${shift.of}', ${stamp}) AS TIMESTAMP)`
    case 'months':
      // Where DuckDB stops at the end of a shorter month, SQLite runs over into the next one.
      return bindOnce(stamp, name, (it) => {
        const first = `date_trunc('month', ${it})`
        return `((${first} + to_months(${shift.count})) + (${it} - ${first}))`
      })
    case 'weekday':
      return bindOnce(
        stamp,
        name,
        (it) => `(${it} + to_days(CAST((${shift.day + 7} - dayofweek(${it})) % 7 AS INTEGER)))`,
      )
  }
}
