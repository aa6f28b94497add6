import { derived, raiseWhen, type Typed } from '../typed.js'

/** Digits for which rounding to decimals is proven. */
const digitsMax = 2

/**
 * round(x, n) for n of 0, 1 and 2. SQLite rounds the decimal value half away from zero. Here
 * |x| * 10^n is cut in two parts whose products are exact, so that the side of the tie is known
 * to the last bit; the result is one correctly rounded division.
 */
export function round(x: Typed | undefined, digits: Typed | undefined): Typed | null {
  const places = digits === undefined ? 0 : literalInteger(digits)
  if (x === undefined || places === null || places > digitsMax) {
    return null
  }
  if (x.type === 'int') {
    const sql = `CAST(${x.sql} AS DOUBLE)`
    return derived(sql, 'real', [x], { bound: x.bound })
  }
  if (x.type !== 'real' && x.type !== 'num') {
    return null
  }
  const scale = 10 ** places
  const big = `(abs(htap__v) >= 1e13)`
  const high = `((abs(htap__v) * 134217729e0) - ((abs(htap__v) * 134217729e0) - abs(htap__v)))`
  const cell = `floor(abs(htap__v) * ${scale}e0)`
  const tie = `(((${high} * ${scale}e0) - (htap__c + 0.5e0)) + ((abs(htap__v) - ${high}) * ${scale}e0))`
  // floor() of the rounded product may be one too high; then the tie lies below and is far away.
  const away = `(CASE WHEN ${tie} >= 0 THEN htap__c + 1e0 ELSE htap__c END)`
  const rounded = `list_transform([${cell}], lambda htap__c: (CASE WHEN htap__v < 0 THEN -1e0 ELSE 1e0 END) * (${away} / ${scale}e0) + 0e0)[1]`
  const sql = `list_transform([${x.sql}], lambda htap__v: ${raiseWhen(big, rounded)})[1]`
  return derived(sql, 'real', [x], { bound: x.bound * 2 + 1 })
}

function literalInteger(value: Typed): number | null {
  const digits = /^CAST\((\d) AS BIGINT\)$/.exec(value.sql)?.[1]
  return digits === undefined ? null : Number(digits)
}
