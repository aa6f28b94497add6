import { Keep, keep } from './keep.js'
import { planTree } from './order/query-plan.js'
import { parseSelect } from './parse/parse-select.js'
import { compileSelect } from './select/select.js'
import { Statement } from './statement.js'
import type { Translation, TranslationContext } from './translation.js'

/**
 * SQLite's SELECT as the DuckDB statement that gives the same rows in the same order, or the
 * reason why it stays on SQLite. Only what is listed in the rules is translated; where DuckDB
 * could differ for some values, the translation raises for them. Pure; never throws.
 *
 * @param sql A statement that SQLite has prepared, with `?` parameters.
 */
export function translate(sql: string, context: TranslationContext): Translation {
  try {
    return translated(sql, context)
  } catch (error) {
    if (error instanceof Keep) {
      return Object.freeze({ kind: 'kept', reason: error.message })
    }
    // A context that fails, or an input beyond the stack: SQLite has the answer in any case.
    return Object.freeze({ kind: 'kept', reason: 'translator failed' })
  }
}

function translated(sql: string, context: TranslationContext): Translation {
  const parsed = parseSelect(sql)
  if (parsed.kind === 'not-understood') {
    return keep(`syntax: ${parsed.reason}`)
  }
  if (parsed.parameterCount !== context.parameterTypes.length) {
    keep('parameter count')
  }
  const { select, summary } = parsed
  if (summary.tables.length === 0) {
    keep('no table')
  }
  if (select.limit !== null && select.recursive) {
    keep('limit over a recursion')
  }
  let readsPlan = false
  const statement = new Statement({
    findTable: (name) => context.findTable(name),
    parameterTypes: context.parameterTypes,
    columnNames: context.columnNames,
    integers: context.integers,
    queryPlan: () => {
      readsPlan = true
      return context.queryPlan()
    },
    program: () => context.program(),
  })
  const plan = () => planTree(statement.context.queryPlan())
  const compiled = compileSelect(select, { statement, outer: null, ctes: [], order: 'rows', plan })
  if (compiled.columns.length !== context.columnNames.length) {
    keep('column count')
  }
  if (context.integers === 'bigint' && compiled.columns.some(({ value }) => value.type === 'num')) {
    keep('integer or real as bigint')
  }
  return Object.freeze({
    kind: 'translated',
    sql: compiled.sql,
    parameters: Object.freeze([...statement.parameters.bindings]),
    tables: Object.freeze([...statement.tables]),
    // Also where the plan only settled the ties inside a window.
    order: readsPlan ? 'plan' : 'total',
  })
}
