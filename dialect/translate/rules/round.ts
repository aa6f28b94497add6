import { asUnsignedZero, constantInteger, derived, raiseWhen, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'

/** Digits up to which 10^n times half a mantissa is exact. */
const digitsMax = 8
/** Up to here SQLite decides a tie on the exact value; beyond on its 18 decimal digits. */
const exactDigitsMax = 2

/**
 * round(x, n). SQLite rounds the decimal value half away from zero. Here |x| * 10^n is cut in two
 * parts whose products are exact, so that the side of the tie is known to the last bit; the result
 * is one correctly rounded division.
 */
export function round(x: Typed | undefined, digits: Typed | undefined): Typed | null {
  const written = digits === undefined ? 0 : constantInteger(digits)
  if (x === undefined || written === null || written > digitsMax) {
    return null
  }
  const places = Math.max(0, written)
  if (x.type === 'int') {
    return derived(`CAST(${x.sql} AS DOUBLE)`, 'real', [x], { bound: x.bound })
  }
  const operand = asUnsignedZero(x)
  const sql = bindOnce(operand.sql, 'htap__v', (v) => rounded(v, places))
  return derived(sql, 'real', [operand], { bound: operand.bound * 2 + 1 })
}

function rounded(v: string, places: number): string {
  const scale = `${10 ** places}e0`
  const high = `((abs(${v}) * 134217729e0) - ((abs(${v}) * 134217729e0) - abs(${v})))`
  // floor() of the rounded product may be one too high; then the tie lies below and is far away.
  const cell = `floor(abs(${v}) * ${scale})`
  const tie = `(((${high} * ${scale}) - (${cell} + 0.5e0)) + ((abs(${v}) - ${high}) * ${scale}))`
  const away = `(CASE WHEN ${tie} >= 0 THEN ${cell} + 1e0 ELSE ${cell} END)`
  const near = `(abs(${tie}) <= ((abs(${v}) * ${scale}) * 1e-16))`
  // With digits SQLite rounds a small negative to -0.0, which DuckDB's sort would lose.
  const isSignedZero = `((${v} < 0) AND (${away} = 0))`
  const isDoubtful = {
    whole: `(abs(${v}) >= 1e13)`,
    exact: `((abs(${v}) >= 1e13) OR ${isSignedZero})`,
    decimal: `(((abs(${v}) * ${scale}) >= 1e13) OR ${isSignedZero} OR ${near})`,
  }
  return raiseWhen(
    isDoubtful[places === 0 ? 'whole' : places > exactDigitsMax ? 'decimal' : 'exact'],
    `(CASE WHEN ${v} < 0 THEN -1e0 ELSE 1e0 END) * (${away} / ${scale}) + 0e0`,
  )
}
