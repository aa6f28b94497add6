/** Quotes a name for SQLite and DuckDB alike. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Quotes a text literal for SQLite and DuckDB alike. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** SQLite compares names by folding ASCII letters only. */
export function foldIdentifier(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
