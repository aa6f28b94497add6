import { keep } from '../keep.js'
import type { Expression, Select } from '../parse/syntax.js'
import type { Statement } from '../statement.js'
import { constantInteger } from '../typed.js'

/** As many rows as DuckDB takes for a limit. */
const unlimited = 2n ** 62n

/**
 * LIMIT and OFFSET; a negative one means none.
 *
 * @param isInner In a subquery, where DuckDB wants literals.
 */
export function limitSql(select: Select, statement: Statement, isInner: boolean): string {
  const limit = countSql(select.limit, statement, isInner, String(unlimited))
  const offset = countSql(select.offset, statement, isInner, '0')
  return `${limit === null ? '' : ` LIMIT ${limit}`}${offset === null ? '' : ` OFFSET ${offset}`}`
}

/** @param none Stands for a negative parameter. */
function countSql(
  node: Expression | null,
  statement: Statement,
  isInner: boolean,
  none: string,
): string | null {
  if (node === null) {
    return null
  }
  if (node.kind === 'integer') {
    return BigInt(node.text).toString()
  }
  if (node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'integer') {
    return BigInt(node.operand.text) === 0n ? '0' : null
  }
  if (node.kind !== 'parameter') {
    return keep('limit is no number')
  }
  const count = statement.constants.asInteger(node.index)
  if (isInner) {
    const value = constantInteger(count) ?? keep('limit is no number')
    return value < 0 ? null : String(value)
  }
  return `(CASE WHEN ${count.sql} < 0 THEN ${none} ELSE ${count.sql} END)`
}
