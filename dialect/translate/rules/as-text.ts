import { keep } from '../keep.js'
import { asUnsignedZero, asValue, derived, raiseWhen, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'

/** SQLite prints up to 17 digits by its own decimal conversion; up to 13 every printer agrees. */
const realDigitsMax = 13

/** The value as SQLite writes it where a text is wanted. */
export function asText(value: Typed): Typed {
  const operand = asValue(value)
  switch (operand.type) {
    case 'text':
      return operand
    case 'int':
      return derived(`CAST(${operand.sql} AS VARCHAR)`, 'text', [operand], { ascii: true })
    case 'real':
      return realText(operand)
    default:
      return keep(`${operand.type} as text`)
  }
}

/** Exact for up to 13 significant digits from 0.001 to 1e15, where neither engine writes an exponent. */
function realText(value: Typed): Typed {
  const operand = asUnsignedZero(value)
  const sql = bindOnce(operand.sql, 'htap__r', (x) => {
    const digits = `strlen(trim(translate(CAST(${x} AS VARCHAR), '-.', ''), '0'))`
    const isPlain = `((abs(${x}) >= 1e-3) AND (abs(${x}) < 1e15))`
    const isDoubtful = `(NOT ((${x} = 0) OR (${isPlain} AND (${digits} <= ${realDigitsMax}))))`
    return raiseWhen(isDoubtful, `CAST(${x} AS VARCHAR)`)
  })
  return derived(sql, 'text', [operand], { ascii: true })
}
