import { keep } from '../keep.js'
import type { Expression, Select } from '../parse/syntax.js'
import type { Statement } from '../statement.js'

/** LIMIT and OFFSET; a negative one means none. DuckDB raises where a parameter is negative. */
export function limitSql(select: Select, statement: Statement): string {
  const limit = countSql(select.limit, statement)
  const offset = countSql(select.offset, statement)
  return `${limit === null ? '' : ` LIMIT ${limit}`}${offset === null ? '' : ` OFFSET ${offset}`}`
}

function countSql(node: Expression | null, statement: Statement): string | null {
  if (node === null) {
    return null
  }
  if (node.kind === 'integer') {
    return BigInt(node.text).toString()
  }
  if (node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'integer') {
    return BigInt(node.operand.text) === 0n ? '0' : null
  }
  return node.kind === 'parameter'
    ? statement.constants.asInteger(node.index).sql
    : keep('limit is no number')
}
