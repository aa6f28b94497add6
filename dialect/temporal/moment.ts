import { HtapError } from '../../src/core/htap-error.js'

/**
 * A moment of the past.
 *
 * - a `Date`, or a text in ISO form, which is UTC where it names no zone and may have microseconds
 * - `{ instant }`: microseconds since 1970, UTC, as the period columns have them
 * - `{ position }`: the state that the transaction at that position left, as the period columns have it
 */
export type Moment = Date | string | { readonly instant: number } | { readonly position: number }

/** A moment in numbers, and as text that can stand in a hint. */
export type PlainMoment = { readonly instant: number } | { readonly position: number }

/**
 * Reads a moment.
 *
 * @throws HtapError `config-invalid` for what is none
 */
export function plainMoment(moment: Moment): PlainMoment {
  const plain =
    moment instanceof Date
      ? { instant: moment.getTime() * 1000 }
      : typeof moment === 'string'
        ? { instant: instantOf(moment) }
        : moment
  const number = 'instant' in plain ? plain.instant : plain.position
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new HtapError('config-invalid', `not a moment: ${describe(moment)}`, {
      hint: 'give a Date, a text like 2026-01-31T12:00:00Z, { instant } or { position }',
    })
  }
  return plain
}

export function encodeMoment(moment: PlainMoment): string {
  return 'instant' in moment ? `i${moment.instant}` : `p${moment.position}`
}

/** Null for a text that `encodeMoment` did not write. */
export function decodeMoment(text: string): PlainMoment | null {
  const number = Number(text.slice(1))
  if (!/^[ip]\d{1,16}$/.test(text)) {
    return null
  }
  return text.startsWith('i') ? { instant: number } : { position: number }
}

const isoText =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?(Z|[+-]\d{2}:?\d{2})?$/i

/** Microseconds since 1970; JavaScript's own dates end at milliseconds. NaN for another text. */
function instantOf(text: string): number {
  const [, date, time = '00:00', seconds = '00', fraction = '', zone = 'Z'] =
    isoText.exec(text.trim()) ?? []
  const ms = Date.parse(`${date}T${time}:${seconds}${zone}`)
  return ms * 1000 + Number(fraction.padEnd(6, '0'))
}

function describe(moment: unknown): string {
  return moment instanceof Date ? 'an invalid Date' : JSON.stringify(moment)
}
