import type { OlapValue } from '../../src/olap/olap-store.js'
import { isPlainText } from '../translate/plain-text.js'
import type { ConstantValue, ParameterBinding, ParameterType } from '../translate/translation.js'
import type { ConstantValues } from './constant-values.js'

/**
 * The types of a query's parameters; null when better-sqlite3 would refuse one of them, so that
 * SQLite gets the query and raises its own error.
 */
export function parameterTypes(values: readonly unknown[]): readonly ParameterType[] | null {
  const types: ParameterType[] = []
  for (const value of values) {
    const type = parameterType(value)
    if (type === null) {
      return null
    }
    types.push(type)
  }
  return types
}

function parameterType(value: unknown): ParameterType | null {
  switch (typeof value) {
    case 'number':
      // SQLite stores NaN as NULL.
      return Number.isNaN(value) ? 'null' : Number.isSafeInteger(value) ? 'safe-integer' : 'number'
    case 'bigint':
      return value >= -(2n ** 63n) && value < 2n ** 63n ? 'bigint' : null
    case 'string':
      return isPlainText(value) ? 'text' : 'doubtful-text'
    case 'object':
      return value === null ? 'null' : value instanceof Uint8Array ? 'blob' : null
    default:
      return null
  }
}

/**
 * The values to bind in DuckDB.
 *
 * @throws when SQLite cannot compute one of them any more
 */
export function bindConstants(
  bindings: readonly ParameterBinding[],
  values: ConstantValues,
): OlapValue[] {
  return bindings.map(({ source, as }) => bindValue(values.of(source), as))
}

function bindValue(value: ConstantValue | undefined, as: ParameterBinding['as']): OlapValue {
  if (value === undefined) {
    throw new Error('a constant of the query cannot be computed')
  }
  if (value === null) {
    return null
  }
  switch (as) {
    case 'bigint':
      return BigInt(value as number | bigint)
    case 'double':
      return Number(value)
    case 'varchar':
      return String(value)
    case 'blob':
      return value as Uint8Array
  }
}
