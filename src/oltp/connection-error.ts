/**
 * The error is about reaching the file from this connection, not about the statement; another
 * connection may well answer. See https://www.sqlite.org/rescode.html.
 */
export function isOfConnection(code: string): boolean {
  return /^SQLITE_(?:BUSY|CANTOPEN|IOERR|LOCKED|NOTADB|PROTOCOL|READONLY|SCHEMA)/.test(code)
}
