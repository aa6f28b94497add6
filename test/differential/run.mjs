// The differential proof in its long forms, over several processes with seeds of their own.
//
//   npm run test:differential -- --queries 1000000 --seed 7 --processes 2
//   npm run test:differential -- --queries 0 --fuzz 1000000 --sqllogictest
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    queries: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    fuzz: { type: 'string', default: '0' },
    sqllogictest: { type: 'boolean', default: false },
  },
})
const [queries, seed, processes, fuzz] = [
  values.queries,
  values.seed,
  values.processes,
  values.fuzz,
].map(Number)
const progressMs = 60_000
const queriesPerProcess = 25_000
/** Share of the corpus' analytic queries that DuckDB must answer, as the test has it. */
const leastShare = 0.95
const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-differential-'))

/** Runs some of the tests in a process; resolves to whether they passed. */
function runTests(pattern, environment) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(
    process.execPath,
    [vitest, 'run', pattern, '--testTimeout', '36000000', '--reporter', 'dot'],
    {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve({ isPassed: code === 0, output }))
  })
}

function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null
}

function addUp(reports) {
  const sum = {}
  for (const report of reports) {
    for (const [key, count] of Object.entries(report)) {
      sum[key] = (sum[key] ?? 0) + count
    }
  }
  return sum
}

function mostFrequent(counts, most) {
  return Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key, count]) => `${String(count).padStart(9)}  ${key}`)
    .join('\n')
}

async function runQueries() {
  // A process that lives long becomes slow: each slice has one of its own.
  const slices = Math.max(processes, Math.ceil(queries / queriesPerProcess))
  const paths = Array.from({ length: slices }, (_, i) => join(folder, `report-${i}.json`))
  const startMs = performance.now()
  const progress = () => {
    const reports = paths.map(readReport).filter((report) => report !== null)
    const counts = addUp(reports.map((report) => report.counts))
    const done = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const rate = Math.round((1000 * done) / (performance.now() - startMs))
    console.log(`${done} statements, ${rate} per second: ${JSON.stringify(counts)}`)
    return { reports, counts }
  }
  const timer = setInterval(progress, progressMs)
  const results = []
  const waiting = paths.entries()
  const work = async () => {
    for (const [i, path] of waiting) {
      results.push(
        await runTests('test/translate/differential.test.ts', {
          HTAP_REPORT: path,
          HTAP_SEED: String(seed + i * 1000),
          HTAP_DIFFERENTIAL_QUERIES: String(Math.ceil(queries / slices)),
        }),
      )
    }
  }
  await Promise.all(Array.from({ length: processes }, work))
  clearInterval(timer)
  const { reports, counts } = progress()
  const of = (field) => addUp(reports.map((report) => report[field]))
  const examples = Object.assign({}, ...reports.map((report) => report.examples))
  console.log(`\nkept on SQLite, by reason\n${mostFrequent(of('kept'), 40)}`)
  console.log(`\nraised in DuckDB, by message\n${mostFrequent(of('raised'), 15)}`)
  for (const message of Object.keys(of('raised')).slice(0, 15)) {
    console.log(`  ${message}\n    ${examples[message]}`)
  }
  console.log(`\nrules by use\n${mostFrequent(of('rules'), 400)}`)
  const differences = reports.flatMap((report) => report.differences)
  for (const script of differences) {
    console.log(`\n-- DIFFERENT\n${script}`)
  }
  for (const { isPassed, output } of results) {
    if (!isPassed && differences.length === 0) {
      console.log(output)
    }
  }
  return results.every(({ isPassed }) => isPassed) && (counts.different ?? 0) === 0
}

async function runCorpus() {
  const path = join(folder, 'corpus.jsonl')
  const results = await Promise.all(
    Array.from({ length: processes }, (_, i) =>
      runTests('test/differential/sqllogictest.test.ts', {
        HTAP_REPORT: path,
        HTAP_SQLLOGIC: 'all',
        HTAP_SQLLOGIC_PART: `${i + 1}/${processes}`,
      }),
    ),
  )
  for (const { output } of results) {
    console.log(output)
  }
  return results.every(({ isPassed }) => isPassed) && isMostlyDuckDb(path)
}

/** Says what the parts come to together; without the corpus there is nothing to say. */
function isMostlyDuckDb(path) {
  if (!existsSync(path)) {
    return true
  }
  const reports = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { queries, analytic, duckdb } = addUp(
    reports.flatMap((report) => report.lines.map(({ file, ...counts }) => counts)),
  )
  const share = duckdb / analytic
  console.log(
    `sqllogictest: ${queries} queries, ${analytic} analytic, ${duckdb} by DuckDB (${(100 * share).toFixed(2)} %)`,
  )
  console.log(mostFrequent(addUp(reports.map((report) => report.reasons)), 30))
  return share >= leastShare
}

async function runFuzz() {
  const { isPassed, output } = await runTests('test/translate/parser-fuzz.test.ts', {
    HTAP_FUZZ: String(fuzz),
    HTAP_SEED: String(seed),
  })
  console.log(output)
  return isPassed
}

try {
  const results = [
    queries > 0 ? await runQueries() : true,
    fuzz > 0 ? await runFuzz() : true,
    values.sqllogictest ? await runCorpus() : true,
  ]
  process.exitCode = results.every((isPassed) => isPassed) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
