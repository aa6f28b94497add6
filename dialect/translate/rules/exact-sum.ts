import { keep } from '../keep.js'
import type { Typed } from '../typed.js'
import { doubleLiteral } from './literals.js'

/** How an aggregate call is completed: FILTER and OVER behind each of its parts. */
export interface AggregateFrame {
  /** Of the call itself. */
  readonly suffix: string
  /** Of a question about all rows that the call may ever see: its whole partition. */
  readonly wholeSuffix: string
}

/**
 * The sum of reals, to the last bit as SQLite has it.
 *
 * SQLite sums with Kahan-Babuska-Neumaier compensation, whose result is the correctly rounded
 * exact sum unless huge terms cancel. Here every term is cut into two integers, `a * 2^-k` and
 * `b * 2^-(k+60)`; integer sums are exact and do not depend on order or threads. The total, an
 * integer of 128 bits, is rounded once. Where bits would be lost, or where SQLite's compensation
 * might not be exact, the query raises and so returns to SQLite.
 *
 * @param rowsMax A rough upper bound of the number of terms.
 */
export function exactSum(value: Typed, frame: AggregateFrame, rowsMax: number): string {
  return narrowSum(value, frame) ?? wideSum(value, frame, rowsMax)
}

/**
 * Where the column's least and greatest reals lie close together, one integer holds every bit of
 * a term: a fifth of the work.
 */
function narrowSum(value: Typed, frame: AggregateFrame): string | null {
  const { bound, least } = value
  if (!(least > 0 && Number.isFinite(bound))) {
    return null
  }
  const scale = 52 - Math.floor(Math.log2(least))
  if (Math.abs(scale) > 900 || bound * 2 ** scale >= termMax) {
    return null
  }
  const term = `CAST((${value.sql} * ${doubleLiteral(2 ** scale)}) AS BIGINT)`
  const parts = [
    `'t': sum(${term})${frame.suffix}`,
    `'n': CAST(count(${value.sql})${frame.wholeSuffix} AS DOUBLE)`,
  ]
  const rounded = `(${roundedTotal} * ${doubleLiteral(limb * 2 ** -scale)})`
  return checked(parts, rounded, {
    spread: doubleLiteral(bound / least),
    greatest: doubleLiteral(bound),
    lossy: 'false',
  })
}

const termMax = 2 ** 62

function wideSum(value: Typed, frame: AggregateFrame, rowsMax: number): string {
  const scale = scaleOf(value.bound, rowsMax)
  const x = value.sql
  const scaled = `(${x} * ${doubleLiteral(2 ** scale)})`
  const high = `CAST(trunc(${scaled}) AS BIGINT)`
  const low = `CAST(trunc((${scaled} - trunc(${scaled})) * ${doubleLiteral(limb)}) AS BIGINT)`
  const total = `((sum(${high})${frame.suffix} * ${2n ** 60n}) + sum(${low})${frame.suffix})`
  const parts = [
    `'t': ${total}`,
    `'m': max(abs(${x}))${frame.wholeSuffix}`,
    `'n': CAST(count(${x})${frame.wholeSuffix} AS DOUBLE)`,
  ]
  const unit = 2 ** -scale
  // Below this a term's last bits fall under the second limb.
  const termMin = 2 ** (52 - 60) * unit
  const isLeastKnown = value.least >= termMin
  if (!isLeastKnown) {
    parts.push(`'l': min(abs(nullif(${x}, 0e0)))${frame.wholeSuffix}`)
  }
  const least = isLeastKnown ? doubleLiteral(value.least) : 'htap__s.l'
  return checked(parts, `(${roundedTotal} * ${doubleLiteral(unit)})`, {
    spread: `(htap__s.m / ${least})`,
    greatest: 'htap__s.m',
    lossy: isLeastKnown ? 'false' : `(htap__s.l < ${doubleLiteral(termMin)})`,
  })
}

/** The rounded total, unless SQLite's compensation might have lost what the integers hold. */
function checked(
  parts: readonly string[],
  rounded: string,
  terms: { readonly spread: string; readonly greatest: string; readonly lossy: string },
): string {
  // Exact however the terms cancel: all partial errors fit in one double.
  const narrow = `((${terms.spread} * htap__s.n * htap__s.n) <= ${doubleLiteral(2 ** 52)})`
  const steady = `(${terms.greatest} <= (abs(${rounded}) * 1024e0))`
  const doubtful = `(${terms.lossy} OR (NOT (${narrow} OR ${steady})) OR (abs(htap__s.t) > ${2n ** 120n}))`
  return `list_transform([{${parts.join(', ')}}], lambda htap__s: (CASE WHEN ${doubtful} THEN \
error('keep-on-sqlite') ELSE ${rounded} END))[1]`
}

const limb = 2 ** 60

/** So that the first limbs of all rows together stay below 2^60. */
function scaleOf(bound: number, rowsMax: number): number {
  if (!Number.isFinite(bound)) {
    keep('sum of reals without a bound')
  }
  const magnitude = Math.ceil(Math.log2(Math.max(bound, 2 ** -60))) + 1
  const scale = 59 - magnitude - Math.ceil(Math.log2(Math.max(rowsMax, 16)))
  return Math.abs(scale) > 900 ? keep('sum of reals beyond range') : scale
}

/**
 * The 128-bit total `htap__s.t`, in units of 2^-60, as the nearest double. Up to 2^62 one cast does it.
 * Beyond, it is the sum of two doubles, each exact, where the lower one ends in an odd bit if
 * anything was cut off below it ("round to odd"), so that the addition rounds as if it had seen all.
 */
const roundedTotal = `(CASE WHEN abs(htap__s.t) < ${2n ** 62n} THEN CAST(CAST(htap__s.t AS BIGINT) AS DOUBLE) / ${doubleLiteral(limb)} \
WHEN abs(htap__s.t) < ${2n ** 112n} THEN ${twoDoubles(60n, 7n)} ELSE ${twoDoubles(70n, 17n)} * 1024e0 END)`

function twoDoubles(highShift: bigint, lowShift: bigint): string {
  const high = `CAST((htap__s.t // ${2n ** highShift}) AS DOUBLE)`
  const rest = `(htap__s.t % ${2n ** highShift})`
  const cut = `(${rest} // ${2n ** lowShift})`
  const odd = `(CASE WHEN ((${rest} % ${2n ** lowShift}) <> 0) AND ((${cut} % 2) = 0) THEN sign(htap__s.t) ELSE 0 END)`
  return `(${high} + (CAST((${cut} + ${odd}) AS DOUBLE) / ${doubleLiteral(2 ** 53)}))`
}
