import { quoteText } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import { isPlainText } from '../plain-text.js'
import { type Typed, typed } from '../typed.js'

const int64Max = 2n ** 63n - 1n

/** @param text Decimal or 0x digits without a sign. */
export function integerLiteral(text: string): Typed {
  const value = BigInt(text)
  if (value > int64Max) {
    keep('integer literal beyond 64 bits')
  }
  const bound = Number(value)
  return typed(`CAST(${value} AS BIGINT)`, 'int', {
    bound,
    constant: true,
    literal: true,
    read: () => value,
  })
}

/** DuckDB reads `0.1` as DECIMAL and `0.1e0` as DOUBLE. */
export function realLiteral(text: string): Typed {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace('.', '')
    .replace(/^0+/, '')
  const value = Number(text)
  // Within 15 digits every decimal-to-double conversion agrees.
  if (digits.length > 15 || !Number.isFinite(value)) {
    keep('real literal of many digits')
  }
  return typed(doubleLiteral(value), 'real', {
    bound: Math.abs(value),
    constant: true,
    literal: true,
    read: () => value,
  })
}

export function textLiteral(value: string): Typed {
  if (!isPlainText(value)) {
    keep('text literal with NUL or broken characters')
  }
  const ascii = isAscii(value)
  return typed(quoteText(value), 'text', {
    constant: true,
    literal: true,
    read: () => value,
    ascii,
  })
}

export function blobLiteral(hex: string): Typed {
  return typed(`from_hex('${hex}')`, 'blob', { constant: true })
}

/** A double in a spelling that DuckDB reads as DOUBLE, to the last bit. */
export function doubleLiteral(value: number): string {
  const text = String(value)
  const sql = text.includes('e') ? text : `${text}e0`
  return value < 0 || Object.is(value, -0) ? `(${sql})` : sql
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 127) {
      return false
    }
  }
  return true
}
