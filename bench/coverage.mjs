// How much of realistic queries DuckDB answers, and whether every answer is SQLite's own:
// `npm run coverage -- [--require-routed] [--write] [--json] [--analyze] [--rows n] [corpus ...]`.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { corpora } from './corpus/corpora.mjs'
import { coveragePage } from './coverage-page.mjs'
import { coverageText } from './coverage-text.mjs'
import { runCorpus } from './run-corpus.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/** The corpora of which `--require-routed` lets no analytic query stay on SQLite. */
const mustRoute = ['tpch', 'ssb']
const page = new URL('../docs/coverage.md', import.meta.url)

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'require-routed': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    analyze: { type: 'boolean', default: false },
    rows: { type: 'string', default: '6000' },
  },
})
const rows = Number(options.rows)
const known = corpora.map((corpus) => corpus.name)
const unknown = positionals.filter((name) => !known.includes(name))
if (unknown.length > 0 || !Number.isSafeInteger(rows) || rows < 1) {
  console.error(`corpora are ${known.join(', ')}; --rows takes a number of rows`)
  process.exit(2)
}

if (options['require-routed'] && !mustRoute.every(isWanted)) {
  console.error(`--require-routed is about ${mustRoute.join(' and ')}, which are left out`)
  process.exit(2)
}

const reports = []
for (const corpus of corpora.filter(({ name }) => isWanted(name))) {
  const { name, about } = corpus
  const absence = corpus.absence?.() ?? null
  const results =
    absence === null
      ? await inScratchFolder((folder) =>
          runCorpus(corpus, { folder, rows, isAnalyzed: options.analyze }),
        )
      : []
  reports.push(Object.freeze({ name, about, absence, results }))
}
const different = reports.flatMap(({ name, results }) =>
  results.filter((it) => it.difference !== null).map((it) => ({ corpus: name, ...it })),
)
const notRouted = reports
  .filter((report) => mustRoute.includes(report.name))
  .flatMap(({ name, results }) =>
    results.filter((it) => it.engine !== 'duckdb').map((it) => ({ corpus: name, ...it })),
  )

console.log(options.json ? JSON.stringify({ reports }) : coverageText(reports))
if (options.write) {
  write()
}
const isFailed = different.length > 0 || (options['require-routed'] && notRouted.length > 0)
if (options['require-routed'] && notRouted.length > 0) {
  console.error(`Not on DuckDB: ${notRouted.map((it) => `${it.corpus} ${it.name}`).join(', ')}`)
}
if (isFailed) {
  process.exitCode = 1
}

function isWanted(name) {
  return positionals.length === 0 || positionals.includes(name)
}

/** Only the whole of it: a page with a part of the corpora would read as if it were all. */
function write() {
  const missing = known.filter((name) => !reports.some((it) => it.name === name && !it.absence))
  if (missing.length > 0) {
    throw new Error(`the page needs every corpus; ${missing.join(', ')} did not run`)
  }
  writeFileSync(page, coveragePage(reports))
}
