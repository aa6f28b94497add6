import { reasons, summarize } from './coverage-summary.mjs'

/** The page `docs/coverage.md`. It has no times and no dates, so that it changes only with the routes. */
export function coveragePage(reports) {
  return `# Coverage

How much of what applications ask DuckDB may answer. \`npm run coverage -- --write\` makes this page: it runs every query of the
[corpora](../bench/corpus) through the stock \`SqliteDialect\` and through \`HtapDialect\` with \`routing: 'duckdb'\`, where cost does not count, and
compares rows, their order, column names and types exactly. By cost many of these queries would stay on SQLite: the tables are small.

An analytic query has an aggregate, a join, grouping, a window, a common table, a set operation or a subquery; plain ones belong on SQLite.

${summaryTable(reports)}

## What stays on SQLite

${reasonList(reports)}
`
}

function summaryTable(reports) {
  const rows = reports.map(({ name, about, results }) => {
    const { queries, plain, analytic, routed, equal } = summarize(results)
    return [
      name,
      about,
      queries,
      plain,
      analytic,
      `${routed} of ${analytic}`,
      `${equal} of ${queries}`,
    ]
  })
  const all = summarize(reports.flatMap((report) => report.results))
  return markdownTable(
    ['corpus', 'what it is', 'queries', 'plain', 'analytic', 'on DuckDB', 'equal answers'],
    [
      ...rows,
      [
        'all',
        '',
        all.queries,
        all.plain,
        all.analytic,
        `${all.routed} of ${all.analytic}`,
        `${all.equal} of ${all.queries}`,
      ],
    ],
  )
}

/** A list, because the rows of a table would be as wide as its longest cell. */
function reasonList(reports) {
  const kept = reasons(reports)
  return kept.length === 0
    ? 'No analytic query of the corpora.'
    : kept.map(([reason, queries]) => reasonItem(reason, queries)).join('\n')
}

function reasonItem(reason, queries) {
  return [`- \`${reason}\` (${queries.length})`, ...queries.map((query) => `  - ${query}`)].join(
    '\n',
  )
}

function markdownTable(header, rows) {
  const cells = [header, ...rows].map((row) =>
    row.map((cell) => String(cell).replaceAll('|', '\\|')),
  )
  const widths = header.map((_, at) => Math.max(...cells.map((row) => row[at].length)))
  const line = (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  const [first, ...rest] = cells
  return [line(first), rule, ...rest.map(line)].join('\n')
}
