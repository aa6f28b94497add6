import { textTable } from '../examples/demo/text-table.mjs'
import { summarize } from './coverage-summary.mjs'

/** The report of a run for the terminal. */
export function coverageText(reports) {
  const ran = reports.filter((report) => report.absence === null)
  const table = textTable(
    ['corpus', 'queries', 'plain', 'analytic', 'on DuckDB', 'equal'],
    ran.map(({ name, results }) => {
      const { queries, plain, analytic, routed, equal } = summarize(results)
      return [name, queries, plain, analytic, routed, equal]
    }),
  )
  const skipped = reports
    .filter((report) => report.absence !== null)
    .map(({ name, absence }) => `${name} was skipped: ${absence}`)
  return [table, ...skipped, ...ran.flatMap(details)].join('\n')
}

function details({ name, results }) {
  const lines = (title, rows) => (rows.length === 0 ? [] : ['', title, ...rows])
  return [
    ...lines(
      `${name}: on SQLite`,
      results
        .filter((it) => it.isAnalytic && it.engine !== 'duckdb')
        .map((it) => `  ${it.name}: ${it.reason}`),
    ),
    ...lines(
      `${name}: plain`,
      results.filter((it) => !it.isAnalytic).map((it) => `  ${it.name}`),
    ),
    ...lines(
      `${name}: nothing found, so little is shown`,
      results.filter((it) => it.isEmpty).map((it) => `  ${it.name}`),
    ),
    ...lines(
      `${name}: ANOTHER ANSWER`,
      results
        .filter((it) => it.difference !== null)
        .map((it) => `  ${it.name}: ${it.difference}\n    ${it.sql}`),
    ),
  ]
}
