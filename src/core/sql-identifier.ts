/** Quotes a name for SQLite and DuckDB alike. */
export function quoteIdentifier(name: string): string {
  return name.includes('"') ? `"${name.replaceAll('"', '""')}"` : `"${name}"`
}

/** Quotes a text literal for SQLite and DuckDB alike. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** SQLite compares names by folding ASCII letters only. */
export function foldIdentifier(name: string): string {
  // Most names are lower-case already, and a translation folds hundreds.
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i)
    if (code >= 65 && code <= 90) {
      return isAscii.test(name)
        ? name.toLowerCase()
        : name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    }
  }
  return name
}

const isAscii = /^[\0-\x7f]*$/
