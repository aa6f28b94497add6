import { Keep, keep } from './keep.js'
import { keepLostRows } from './lost-rows.js'
import { planTree } from './order/query-plan.js'
import { parseSelect } from './parse/parse-select.js'
import { recordRules, ruleId } from './rules/rule.js'
import { compileSelect } from './select/select.js'
import { Statement } from './statement.js'
import type {
  ParameterBinding,
  Translated,
  Translation,
  TranslationContext,
} from './translation.js'

/**
 * SQLite's SELECT as the DuckDB statement that gives the same rows in the same order, or the
 * reason why it stays on SQLite. Only what is listed in the rules is translated; where DuckDB
 * could differ for some values, the translation raises for them. Pure; never throws.
 *
 * @param sql A statement that SQLite has prepared, with `?` parameters.
 */
export function translate(sql: string, context: TranslationContext): Translation {
  const statement = new Statement(sql, context)
  try {
    const { result, used } = recordRules(context.disabledRules, () => translated(statement))
    keepLostRows(statement, used)
    return Object.freeze({
      ...result,
      kind: 'translated',
      // Also where the plan only settled the ties inside a window.
      order: statement.readsPlan ? 'plan' : 'total',
      assumptions: Object.freeze([...statement.constants.assumptions]),
      rules: Object.freeze([...used].map(ruleId)),
    })
  } catch (error) {
    // A context that fails, or an input beyond the stack: SQLite has the answer in any case.
    const reason = error instanceof Keep ? error.message : 'translator failed'
    const assumptions = Object.freeze([...statement.constants.assumptions])
    return Object.freeze({ kind: 'kept', reason, assumptions })
  }
}

function translated(statement: Statement): Pick<Translated, 'sql' | 'parameters' | 'tables'> {
  const { context } = statement
  const parsed = parseSelect(statement.sql)
  if (parsed.kind === 'not-understood') {
    return keep(`syntax: ${parsed.reason}`)
  }
  if (parsed.parameterCount !== context.parameterTypes.length) {
    keep('parameter count')
  }
  const { select } = parsed
  if (select.limit !== null && select.recursive) {
    keep('limit over a recursion')
  }
  const plan = () => planTree(statement.queryPlan())
  const compiled = compileSelect(select, { statement, outer: null, ctes: [], order: 'rows', plan })
  if (compiled.columns.length !== context.columnNames.length) {
    keep('column count')
  }
  if (context.integers === 'bigint' && compiled.columns.some(({ value }) => value.type === 'num')) {
    keep('integer or real as bigint')
  }
  return {
    ...withUsedParameters(compiled.sql, statement.constants.bindings),
    tables: Object.freeze([...statement.tables]),
  }
}

/** Texts and names in quotes, and parameters outside of them. */
const quotedOrParameter = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)/g

/** A constant that only decided over the translation is not in its text; DuckDB takes no such value. */
function withUsedParameters(
  sql: string,
  bindings: readonly ParameterBinding[],
): { readonly sql: string; readonly parameters: readonly ParameterBinding[] } {
  if (bindings.every((_, i) => sql.includes(`CAST($${i + 1} AS `))) {
    return { sql, parameters: Object.freeze([...bindings]) }
  }
  const used: ParameterBinding[] = []
  const numbered = sql.replace(quotedOrParameter, (found: string, number: string | undefined) => {
    const binding = number === undefined ? undefined : bindings[Number(number) - 1]
    if (binding === undefined) {
      return found
    }
    const at = used.indexOf(binding)
    return `$${at < 0 ? used.push(binding) : at + 1}`
  })
  return { sql: numbered, parameters: Object.freeze(used) }
}
