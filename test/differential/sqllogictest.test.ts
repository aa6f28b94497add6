import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { CompiledQuery, Kysely } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { HtapDialect, type RouteEvent } from '../../dist/dialect/index.js'
import { parseSelect } from '../../dist/dialect/translate/parse/parse-select.js'
import { corpusFiles, corpusFolder, readRecords, type TestRecord } from '../support/sqllogictest.js'
import { tempFolder } from '../support/temp-folder.js'
import { Random } from '../translate/random/random.js'

// Every statement goes through Kysely and the whole dialect, and through a stock connection on a
// database of its own; what the two answer is compared. HTAP_SQLLOGIC=all runs everything, else the
// beginning of each file with a sample of its queries. HTAP_SQLLOGIC_PART=2/3 takes a third.
const isComplete = process.env['HTAP_SQLLOGIC'] === 'all'
const recordsMax = isComplete ? Number.POSITIVE_INFINITY : 250
const queryShare = isComplete ? 1 : 0.1
const [part = 1, parts = 1] = (process.env['HTAP_SQLLOGIC_PART'] ?? '1/1').split('/').map(Number)
/** Share of the analytic queries, all files together, that DuckDB must answer. */
const leastShare = 0.95
const files = corpusFiles().filter((_, i) => i % parts === part - 1)

describe.skipIf(files.length === 0)(
  `sqllogictest through the dialect, from ${corpusFolder}`,
  () => {
    const lines: CorpusLine[] = []
    const reasons = new Map<string, number>()

    afterAll(() => {
      console.log(tableOf(lines, reasons))
      const report = process.env['HTAP_REPORT']
      if (report !== undefined) {
        const entry = { lines, reasons: Object.fromEntries(reasons) }
        appendFileSync(report, `${JSON.stringify(entry)}\n`)
      }
    })

    test.each(files)('%s', { timeout: 3_600_000 }, async (file) => {
      const line: CorpusLine = { file, statements: 0, queries: 0, analytic: 0, duckdb: 0 }
      lines.push(line)
      const random = new Random(file.length)
      const sides = openSides()
      try {
        for (const record of readRecords(file).slice(0, recordsMax)) {
          if (record.kind === 'query' && !random.chance(queryShare)) {
            continue
          }
          const [stock, htap] = [onStock(sides.stock, record.sql), await onHtap(sides, record.sql)]
          expect(htap, record.sql).toEqual(stock)
          note(record, sides.events, line, reasons)
        }
      } finally {
        await sides.htap.destroy()
        sides.stock.close()
      }
    })

    // A part alone says nothing of the whole; who runs the parts adds them up.
    test.runIf(parts === 1)('DuckDB answers nearly all of the analytic queries', () => {
      const sum = (field: 'analytic' | 'duckdb') =>
        lines.reduce((total, line) => total + line[field], 0)
      expect(sum('analytic')).toBeGreaterThan(100)
      const share = sum('duckdb') / sum('analytic')
      expect(share, tableOf(lines, reasons)).toBeGreaterThanOrEqual(leastShare)
    })
  },
)

test.runIf(files.length === 0)('the sqllogictest corpus is absent', () => {
  console.log(`skipped: no sqllogictest corpus in ${corpusFolder}; KYSELY_HTAP_DATA names another`)
})

interface Sides {
  readonly stock: Database
  readonly htap: Kysely<unknown>
  readonly events: RouteEvent[]
}

/** Two databases in files, one for each side. */
function openSides(): Sides {
  const folder = tempFolder()
  const stock = new SqliteDatabase(join(folder, 'stock.db'))
  stock.pragma('journal_mode = wal')
  stock.pragma('synchronous = off')
  const events: RouteEvent[] = []
  const htap = new Kysely<unknown>({
    dialect: new HtapDialect({
      database: join(folder, 'dialect.db'),
      pragmas: { synchronous: 'off' },
      routing: 'duckdb',
      onRoute: (event) => events.push(event),
    }),
  })
  return { stock, htap, events }
}

/** All that a caller can see: rows with their types and the order of their columns, or the error. */
type Answer = { readonly rows: readonly unknown[] } | { readonly error: string }

function onStock(db: Database, sql: string): Answer {
  try {
    const statement = db.prepare(sql)
    if (statement.reader) {
      return { rows: statement.all().map(visible) }
    }
    statement.run()
    return { rows: [] }
  } catch (error) {
    return { error: shown(error) }
  }
}

async function onHtap({ htap, events }: Sides, sql: string): Promise<Answer> {
  events.length = 0
  try {
    const { rows } = await htap.executeQuery(CompiledQuery.raw(sql))
    return { rows: rows.map(visible) }
  } catch (error) {
    return { error: shown(error) }
  }
}

/** `toEqual` takes 0 for -0 and overlooks the order of keys. */
function visible(row: unknown): readonly unknown[] {
  return Object.entries(row as object).map(([name, value]) => [
    name,
    Object.is(value, -0) ? 'minus zero' : value,
  ])
}

function shown(error: unknown): string {
  const { name, code, message } = error as { name: string; code?: string; message: string }
  return `${name} ${code} ${message}`
}

interface CorpusLine {
  readonly file: string
  statements: number
  queries: number
  /** Queries with a join, aggregate, grouping, window, CTE, set operation or subquery. */
  analytic: number
  /** Those of them that DuckDB answered. */
  duckdb: number
}

function note(
  { kind, sql }: TestRecord,
  events: readonly RouteEvent[],
  line: CorpusLine,
  reasons: Map<string, number>,
): void {
  if (kind === 'statement') {
    line.statements += 1
    return
  }
  line.queries += 1
  const parsed = parseSelect(sql)
  if (parsed.kind === 'select' && !parsed.summary.analytic) {
    return
  }
  line.analytic += 1
  const event = events.at(-1)
  if (event?.engine === 'duckdb') {
    line.duckdb += 1
  } else {
    const reason = event?.reason ?? 'no event'
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
}

function tableOf(lines: readonly CorpusLine[], reasons: ReadonlyMap<string, number>): string {
  const sum = (field: 'statements' | 'queries' | 'analytic' | 'duckdb') =>
    lines.reduce((total, line) => total + line[field], 0)
  const all = {
    file: 'all',
    statements: sum('statements'),
    queries: sum('queries'),
    analytic: sum('analytic'),
    duckdb: sum('duckdb'),
  }
  const rows = [...lines, all].map(({ file, statements, queries, analytic, duckdb }) => {
    const share = analytic === 0 ? '' : `${((100 * duckdb) / analytic).toFixed(2)} %`
    const cells = [statements, queries, analytic, duckdb, share].map((cell) =>
      String(cell).padStart(10),
    )
    return `${file.replace('.test.gz', '').padEnd(36)}${cells.join('')}`
  })
  const head = ['statements', 'queries', 'analytic', 'by DuckDB', 'share']
  const why = [...reasons]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]) => `${String(count).padStart(8)}  ${reason}`)
  return [
    `${''.padEnd(36)}${head.map((cell) => cell.padStart(10)).join('')}`,
    ...rows,
    'analytic queries that SQLite answered:',
    ...why,
  ].join('\n')
}
