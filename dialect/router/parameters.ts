import type { OlapValue } from '../../src/olap/olap-store.js'
import type { ParameterBinding, ParameterType } from '../translate/translation.js'

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
      return 'text'
    case 'object':
      return value === null ? 'null' : value instanceof Uint8Array ? 'blob' : null
    default:
      return null
  }
}

/** The values to bind in DuckDB. */
export function bindParameters(
  bindings: readonly ParameterBinding[],
  values: readonly unknown[],
): OlapValue[] {
  return bindings.map(({ index, as }) => bindValue(values[index], as))
}

function bindValue(value: unknown, as: ParameterBinding['as']): OlapValue {
  switch (as) {
    case 'bigint':
      return BigInt(value as number | bigint)
    case 'double':
      return Number(value)
    case 'varchar':
      return String(value)
    case 'blob':
      return value as Uint8Array
    case 'null':
      return null
  }
}
