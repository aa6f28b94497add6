import type { Database } from 'better-sqlite3'
import { BothEngines, type Outcome } from './both-engines.js'
import { printCase, scriptOf, show } from './case-script.js'
import { QuerySource } from './random/query-source.js'
import type { RandomQuery } from './random/query-writer.js'
import { Random } from './random/random.js'
import { type RandomTable, randomSchema } from './random/random-schema.js'
import { shrink } from './shrink.js'

export interface Campaign {
  readonly queries: number
  readonly seed: number
  readonly queriesPerSchema: number
  /** Differences after which it ends. */
  readonly differencesMax: number
  /** Called after every schema, with what was counted since it began. */
  readonly onProgress: (report: Report, isLast: boolean) => void
}

/** What came out, as plain data. */
export interface Report {
  readonly counts: Record<Outcome['kind'], number>
  /** Why statements stayed on SQLite, by how often. */
  readonly kept: Record<string, number>
  readonly raised: Record<string, number>
  readonly invalid: Record<string, number>
  /** The first statement that was kept, raised or invalid for a reason. */
  readonly examples: Record<string, string>
  /** How often each rule of the translation had its part in an equal answer. */
  readonly rules: Record<string, number>
  /** Self-contained scripts. */
  readonly differences: string[]
}

function emptyReport(): Report {
  return {
    counts: { same: 0, kept: 0, raised: 0, invalid: 0, different: 0 },
    kept: {},
    raised: {},
    invalid: {},
    examples: {},
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
      campaign.onProgress(report, false)
    }
  } finally {
    await engines.close()
  }
  campaign.onProgress(report, true)
  return report
}

async function runSchema(
  engines: BothEngines,
  seed: number,
  queries: number,
  report: Report,
): Promise<void> {
  const random = new Random(seed)
  const { db, tables } = await openSchema(engines, random)
  const source = new QuerySource(db, random, tables)
  for (let i = 0; i < queries; i += 1) {
    const query = source.next()
    const outcome = await checkTwice(engines, query)
    note(report, outcome, query)
    if (outcome.kind === 'different') {
      const title = `seed ${seed}, statement ${i}\n${query.sql}`
      report.differences.push(
        `-- ${title.replaceAll('\n', '\n-- ')}\n${await explain(engines, query)}`,
      )
      // Shrinking has put other databases in the place of this one.
      source.db = (await openSchema(engines, new Random(seed))).db
    }
  }
}

async function openSchema(
  engines: BothEngines,
  random: Random,
): Promise<{ readonly db: Database; readonly tables: readonly RandomTable[] }> {
  const db = engines.reset()
  const tables = randomSchema(db, random)
  // Some applications read integers as bigint.
  db.defaultSafeIntegers(random.chance(0.05))
  await engines.copy(random)
  return { db, tables }
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

function note(report: Report, outcome: Outcome, { sql, parameters }: RandomQuery): void {
  report.counts[outcome.kind] += 1
  const because = (reasons: Record<string, number>, reason: string) => {
    count(reasons, reason)
    report.examples[reason] ??= `${sql} ${show(parameters)}`
  }
  switch (outcome.kind) {
    case 'same':
      for (const rule of outcome.rules) {
        count(report.rules, rule)
      }
      return
    case 'kept':
      because(report.kept, outcome.reason)
      return
    case 'raised':
      because(report.raised, firstLine(outcome.message))
      return
    case 'invalid':
      because(report.invalid, firstLine(outcome.message))
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

/** The most frequent ones first. */
export function mostFrequent(counts: Record<string, number>, most: number): string {
  return Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key, times]) => `${String(times).padStart(8)}  ${key}`)
    .join('\n')
}
