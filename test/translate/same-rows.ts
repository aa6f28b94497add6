/** Rows of values as better-sqlite3 returns them: equal in order, JavaScript type and bit. */
export function sameRows(a: readonly unknown[][], b: readonly unknown[][]): boolean {
  return a.length === b.length && a.every((row, i) => sameRow(row, b[i] ?? []))
}

export function sameRow(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => sameValue(value, b[i]))
}

function sameValue(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b))
}
