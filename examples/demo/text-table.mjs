/** Lines of columns that stand under each other; numbers to the right. */
export function textTable(header, rows) {
  const cells = rows.map((row) => row.map(format))
  const widths = header.map((title, at) =>
    Math.max(title.length, ...cells.map((row) => row[at].length)),
  )
  const line = (row, isRight) =>
    row
      .map((cell, at) => (isRight(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at])))
      .join('  ')
      .trimEnd()
  const isNumeric = (at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number')
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [line(header, isNumeric), rule, ...cells.map((row) => line(row, isNumeric))].join('\n')
}

function format(cell) {
  if (typeof cell !== 'number') {
    return String(cell)
  }
  if (Number.isInteger(cell)) {
    return cell.toLocaleString('en')
  }
  const digits = Math.abs(cell) >= 100 ? 0 : Math.abs(cell) >= 10 ? 1 : 2
  return cell.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
