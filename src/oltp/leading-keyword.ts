const skipped = /^(?:[\s;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/

/**
 * The first word of a statement in lower case; empty where it does not begin with a word.
 * SQLite's grammar begins every kind of statement with a keyword of its own, so this tells
 * the kind without parsing (https://www.sqlite.org/lang.html).
 */
export function leadingKeyword(sql: string): string {
  const start = skipped.exec(sql)?.[0].length ?? 0
  const word = /^[A-Za-z]+/.exec(start === 0 ? sql : sql.slice(start))
  return word === null ? '' : word[0].toLowerCase()
}

/** Statements after which names may mean something else than before. */
const schemaKeywords: ReadonlySet<string> = new Set([
  'alter',
  'analyze',
  'attach',
  'create',
  'detach',
  'drop',
  'pragma',
  'reindex',
  'vacuum',
])

const readKeywords: ReadonlySet<string> = new Set(['explain', 'select', 'values', 'with'])

const reportingPragma =
  /^(?:[\s;]|--[^\n]*\n|\/\*[\s\S]*?\*\/)*pragma\s+(?:\w+\s*\.\s*)?(?:table_\w+|index_\w+|foreign_key_list|foreign_key_check|integrity_check|quick_check|wal_checkpoint)\b/i

/** The statement may change the schema or a setting that answers depend on. */
export function mayChangeSchema(keyword: string, sql: string): boolean {
  if (!schemaKeywords.has(keyword)) {
    return false
  }
  return keyword !== 'pragma' || (/[=(]/.test(sql) && !reportingPragma.test(sql))
}

/** The statement may be a plain read; whether it is one SQLite says after `prepare`. */
export function mayBeRead(keyword: string): boolean {
  return readKeywords.has(keyword)
}
