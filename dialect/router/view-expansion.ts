import { limits } from '../../src/core/limits.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { ViewEntry } from '../../src/oltp/catalogue.js'
import { parseSelect } from '../translate/parse/parse-select.js'
import type { StatementSummary } from '../translate/parse/summarise.js'
import { tokenize } from '../translate/parse/tokenize.js'
import type { ViewDefinition } from '../translate/translation.js'

/** What a statement reads, with the views in it replaced by what they read. */
export interface Expansion {
  /** Folded names of tables; of views that are not understood, too. */
  readonly tables: readonly string[]
  /** Of the views inside, at any depth. */
  readonly views: readonly StatementSummary[]
}

export function expandViews(
  summary: StatementSummary,
  findView: (name: string) => ViewDefinition | null,
): Expansion {
  const tables = new Set<string>()
  const views: StatementSummary[] = []
  const visit = (names: readonly string[], depth: number): void => {
    for (const name of names) {
      const view = depth > limits.viewDepthMax ? null : findView(name)
      const parsed = view === null ? null : parseSelect(view.select)
      if (parsed?.kind === 'select') {
        views.push(parsed.summary)
        visit(parsed.summary.tables, depth + 1)
      } else {
        tables.add(name)
      }
    }
  }
  visit(summary.tables, 0)
  return { tables: [...tables], views }
}

/** The SELECT of a view; null where its CREATE VIEW is not understood. */
export function viewDefinition(entry: ViewEntry): ViewDefinition | null {
  const tokens = tokenize(entry.sql)
  // CREATE VIEW, a name with or without a schema, perhaps a list of columns, then AS: no name
  // before it can be a bare AS.
  const as = tokens?.find((token) => token.word === 'AS')
  return as === undefined
    ? null
    : Object.freeze({
        view: foldIdentifier(entry.name),
        select: entry.sql.slice(as.end),
        columns: entry.columns,
      })
}
