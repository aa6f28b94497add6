import { BothEngines, type Outcome } from './both-engines.js'
import { printCase, scriptOf } from './case-script.js'
import type { RandomQuery } from './random/query-writer.js'
import { Random } from './random/random.js'
import { randomQuery } from './random/random-query.js'
import { type RandomTable, randomSchema } from './random/random-schema.js'
import { shrink } from './shrink.js'

export interface Campaign {
  readonly queries: number
  readonly seed: number
  readonly queriesPerSchema: number
  /** Differences after which it ends. */
  readonly differencesMax: number
  /** Called now and then, with what was counted since it began. */
  readonly onProgress?: (report: Report) => void
}

/** What came out, as plain data. */
export interface Report {
  readonly counts: Record<Outcome['kind'], number>
  /** Why statements stayed on SQLite, by how often. */
  readonly kept: Record<string, number>
  readonly raised: Record<string, number>
  readonly invalid: Record<string, number>
  /** How often each rule of the translation had its part in an equal answer. */
  readonly rules: Record<string, number>
  /** Self-contained scripts. */
  readonly differences: string[]
}

export function emptyReport(): Report {
  return {
    counts: { same: 0, kept: 0, raised: 0, invalid: 0, different: 0 },
    kept: {},
    raised: {},
    invalid: {},
    rules: {},
    differences: [],
  }
}

/** Asks both engines random statements over random schemas. */
export async function runCampaign(campaign: Campaign): Promise<Report> {
  const { queries, seed, queriesPerSchema, differencesMax } = campaign
  const report = emptyReport()
  const engines = await BothEngines.open()
  try {
    const runs = Math.ceil(queries / queriesPerSchema)
    for (let run = 0; run < runs && report.differences.length < differencesMax; run += 1) {
      await runSchema(engines, seed * 1_000_003 + run, queriesPerSchema, report)
      campaign.onProgress?.(report)
    }
  } finally {
    await engines.close()
  }
  return report
}

async function runSchema(
  engines: BothEngines,
  seed: number,
  queries: number,
  report: Report,
): Promise<void> {
  const random = new Random(seed)
  const tables = await openSchema(engines, random)
  for (let i = 0; i < queries; i += 1) {
    const query = randomQuery(random, tables)
    const outcome = await checkTwice(engines, query)
    note(report, outcome)
    if (outcome.kind === 'different') {
      const title = `seed ${seed}, statement ${i}\n${query.sql}`
      report.differences.push(
        `-- ${title.replaceAll('\n', '\n-- ')}\n${await explain(engines, query)}`,
      )
      // Shrinking has put other databases in the place of this one.
      await openSchema(engines, new Random(seed))
    }
  }
}

async function openSchema(engines: BothEngines, random: Random): Promise<readonly RandomTable[]> {
  const db = engines.reset()
  const tables = randomSchema(db, random)
  // Some applications read integers as bigint.
  db.defaultSafeIntegers(random.chance(0.05))
  await engines.copy(random)
  return tables
}

/** Midnight may have passed between the engines, so a difference is one that shows twice. */
async function checkTwice(
  engines: BothEngines,
  { sql, parameters }: RandomQuery,
): Promise<Outcome> {
  const outcome = await engines.check(sql, parameters)
  const readsClock = /now|current_/i.test(sql) || parameters.includes('now')
  return outcome.kind === 'different' && readsClock ? engines.check(sql, parameters) : outcome
}

async function explain(engines: BothEngines, { sql, parameters }: RandomQuery): Promise<string> {
  const original = { database: scriptOf(engines.db), sql, parameters }
  const smallest = await shrink(engines, original)
  const outcome = await engines.check(smallest.sql, smallest.parameters)
  return outcome.kind === 'different'
    ? printCase(smallest, outcome)
    : `-- it does not show again in a database made anew: ${outcome.kind}`
}

function note(report: Report, outcome: Outcome): void {
  report.counts[outcome.kind] += 1
  switch (outcome.kind) {
    case 'same':
      for (const rule of outcome.rules) {
        count(report.rules, rule)
      }
      return
    case 'kept':
      count(report.kept, outcome.reason)
      return
    case 'raised':
      count(report.raised, firstLine(outcome.message))
      return
    case 'invalid':
      count(report.invalid, firstLine(outcome.message))
      return
    case 'different':
      return
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function firstLine(message: string): string {
  return message
    .replace(/["'][^"']*["']/g, '…')
    .split('\n')[0]!
    .slice(0, 90)
}

export function addReport(sum: Report, part: Report): void {
  for (const kind of Object.keys(sum.counts) as Outcome['kind'][]) {
    sum.counts[kind] += part.counts[kind]
  }
  for (const field of ['kept', 'raised', 'invalid', 'rules'] as const) {
    for (const [key, times] of Object.entries(part[field])) {
      sum[field][key] = (sum[field][key] ?? 0) + times
    }
  }
  sum.differences.push(...part.differences)
}

/** The most frequent ones first. */
export function mostFrequent(counts: Record<string, number>, most: number): string {
  return Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key, times]) => `${String(times).padStart(8)}  ${key}`)
    .join('\n')
}
