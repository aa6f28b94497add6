/** The counts of a corpus. Only analytic queries are expected on DuckDB. */
export function summarize(results) {
  const analytic = results.filter((it) => it.isAnalytic)
  return Object.freeze({
    queries: results.length,
    plain: results.length - analytic.length,
    analytic: analytic.length,
    routed: analytic.filter((it) => it.engine === 'duckdb').length,
    equal: results.filter((it) => it.difference === null).length,
  })
}

/** Analytic queries that stayed on SQLite, by reason, the commonest first. */
export function reasons(reports) {
  const byReason = new Map()
  for (const { name: corpus, results } of reports) {
    for (const { name, reason } of results.filter(
      (it) => it.isAnalytic && it.engine !== 'duckdb',
    )) {
      byReason.set(reason, [...(byReason.get(reason) ?? []), `${corpus}: ${name}`])
    }
  }
  return [...byReason].sort(([a, its], [b, others]) => {
    return others.length - its.length || (a < b ? -1 : 1)
  })
}
