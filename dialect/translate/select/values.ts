import type { CoreContext } from '../bind/core-context.js'
import { compileExpression } from '../bind/expression.js'
import { Scope } from '../bind/scope.js'
import { keep } from '../keep.js'
import type { Select, ValuesCore } from '../parse/syntax.js'
import { oneOf, unify } from '../typed.js'
import type { CompiledSelect, SelectContext } from './select.js'

/** `VALUES (...), (...)`, where every column holds one class. */
export function compileValues(
  values: ValuesCore,
  select: Select,
  context: SelectContext,
): CompiledSelect {
  if (context.order === 'rows' || select.orderBy.length > 0 || select.limit !== null) {
    keep('order: values')
  }
  const { statement, ctes } = context
  const core: CoreContext = {
    statement,
    ctes,
    scope: new Scope(context.outer, [], new Map()),
    windows: [],
    seesAliases: false,
    found: { aggregates: false, windows: false },
    windowTail: () => keep('window in values'),
    aggregateTail: () => keep('aggregate in values'),
    grouped: null,
  }
  const rows = values.rows.map((row) => row.map((item) => compileExpression(item, core)))
  const width = rows[0]?.length ?? 0
  const columns = Array.from({ length: width }, (_, at) => {
    const cells = rows.map((row) => row[at] ?? keep('values of unequal length'))
    const unified = unify(cells)
    if (unified === null || (unified.type === 'num' && cells.some((cell) => cell.type !== 'num'))) {
      return keep('values of mixed types')
    }
    return { cells: unified.values, type: unified.type }
  })
  const emitted = statement.newName('v')
  const tuples = rows.map(
    (_, row) => `(${columns.map((column) => column.cells[row]?.sql ?? 'NULL').join(', ')})`,
  )
  const names = columns.map((_, at) => `c${at}`).join(', ')
  return {
    sql: `SELECT ${names} FROM (VALUES ${tuples.join(', ')}) AS ${emitted}(${names})`,
    columns: columns.map((column, at) => ({
      name: `column${at + 1}`,
      value: oneOf(`c${at}`, column.type, column.cells),
    })),
    // Integers that are written down and all differ are a key.
    keys: () =>
      columns.flatMap(({ cells, type }, at) => {
        const isKey = type === 'int' && cells.every((cell) => cell.literal)
        return isKey && new Set(cells.map((cell) => cell.sql)).size === cells.length ? [[at]] : []
      }),
  }
}
