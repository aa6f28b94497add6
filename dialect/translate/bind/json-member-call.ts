import { quoteIdentifier } from '../../../src/core/sql-identifier.js'
import type { Expression } from '../parse/syntax.js'
import { jsonMember, type MemberClass } from '../rules/json-members.js'
import { textLiteral } from '../rules/literals.js'
import { asValue, nullOf, type Typed } from '../typed.js'
import type { CoreContext } from './core-context.js'
import { compileExpression } from './expression.js'

/** `json_extract(x, y)` and `x ->> y`. */
export function compileJsonMember(
  name: string,
  document: Expression,
  place: Expression,
  core: CoreContext,
): Typed {
  const operands = [document, place].map((node) => asValue(compileExpression(node, core)))
  const [x, y] = operands as [Typed, Typed]
  if (operands.some((operand) => operand.type === 'null')) {
    return nullOf(operands)
  }
  return jsonMember(name, x, y, (path) => memberClass(x, path, core))
}

/** Enough to tell what a member is, and read in less than the time of any query worth a route. */
const sampleSize = 100

/** SQLite looks at the first rows; what is not a table's own column is taken for text. */
function memberClass(document: Typed, path: string, core: CoreContext): MemberClass | null {
  const source = sourceOf(document, core)
  if (source === null) {
    return 'text'
  }
  const type = `json_type(x, ${textLiteral(path).sql})`
  const classes = `case ${type} when 'true' then 'integer' when 'false' then 'integer' else ${type} end`
  const found = core.statement.constants.fold(
    `select group_concat(c) from (select distinct ${classes} as c from (select ${source} limit ${sampleSize}) where ${type} <> 'null' order by c)`,
    [],
  )
  switch (found.type === 'null' ? '' : found.read?.()) {
    case '':
    case 'text':
      return 'text'
    case 'integer':
      return 'int'
    case 'real':
      return 'real'
    case 'integer,real':
      return 'num'
    default:
      return null
  }
}

/** `"column" as x from "table"`; null where the value is no column of a table in this FROM. */
function sourceOf(document: Typed, core: CoreContext): string | null {
  for (const { emitted, table, columns } of core.scope.relations) {
    for (const column of table === null ? [] : columns) {
      if (column.name !== null && document.sql === `${emitted}.${quoteIdentifier(column.name)}`) {
        return `${quoteIdentifier(column.name)} as x from main.${quoteIdentifier(table?.shape.name ?? '')}`
      }
    }
  }
  return null
}
