import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'
import { type Anomaly, findAnomalies, type Read, type Write } from './history.js'

// Several clients in two processes, each with a mirror of its own, write and read at all levels; a
// checker looks through what they saw. HTAP_TRANSACTIONS sets how many are written, half in either process.
const transactions = repetitions('HTAP_TRANSACTIONS', 600)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
const processes = [1, 2]

it(`should find nothing wrong in a history of ${transactions} transactions (seed ${seed})`, {
  timeout: 7_200_000,
}, async () => {
  const folder = tempFolder()
  const children = processes.map((number) => {
    const args = [folder, number, Math.ceil(transactions / processes.length), seed + number]
    return new Child('history-client.mjs', args.map(String))
  })
  await Promise.all(
    children.map(async (child) => expect(await child.nextLine(), child.errors).toBe('done')),
  )
  const history = processes.flatMap((number) =>
    readFileSync(join(folder, `history-${number}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Write | Read),
  )
  const reads = history.filter((it) => it.kind === 'read')
  for (const level of ['"strong"', '"session"', '"latest"', '{"maxStalenessMs":100}']) {
    const ofLevel = reads.filter((it) => JSON.stringify(it.level) === level)
    const byDuckDb = ofLevel.filter((it) => it.engine === 'duckdb').length
    console.log(`${level}: ${ofLevel.length} reads, ${byDuckDb} by DuckDB`)
    expect(byDuckDb, level).toBeGreaterThan(0)
  }
  expect(history.length - reads.length).toBeGreaterThanOrEqual(transactions)
  expect(findAnomalies(history)).toEqual([])
})

describe('the checker', () => {
  /** Three transactions, each one after the other, and reads that see everything. */
  const writes: readonly Write[] = [1, 2, 3].map((number) => ({
    kind: 'write',
    process: number === 2 ? 2 : 1,
    client: 0,
    number,
    begunAt: number * 1e9,
    endedAt: number * 1e9 + 1e6,
    cells: { a: number * 10, ...(number === 2 ? { b: 21 } : {}) },
  }))
  const good: Read = {
    kind: 'read',
    process: 1,
    client: 0,
    level: 'strong',
    engine: 'duckdb',
    begunAt: 3.5e9,
    endedAt: 3.6e9,
    number: 3,
    entries: 3,
    cells: { a: 30, b: 21 },
  }
  const asOfTwo = { number: 2, entries: 2, cells: { a: 20, b: 21 } }
  const asOfOne = { number: 1, entries: 1, cells: { a: 10, b: 0 } }
  const kinds = (...history: (Write | Read)[]): Anomaly['kind'][] =>
    findAnomalies(history).map((it) => it.kind)

  it('should accept what is right', () => {
    expect(kinds(...writes, good)).toEqual([])
    expect(kinds(...writes, { ...good, level: 'latest', ...asOfOne })).toEqual([])
    expect(kinds(...writes, { ...good, level: { maxStalenessMs: 2000 }, ...asOfTwo })).toEqual([])
    expect(kinds(...writes, { ...good, process: 2, level: 'session', ...asOfTwo })).toEqual([])
    // A read that began before the transaction ended may see it or not.
    expect(kinds(...writes, { ...good, begunAt: 3e9, ...asOfTwo })).toEqual([])
  })

  it('should find stale reads, by what each level promises', () => {
    expect(kinds(...writes, { ...good, ...asOfTwo })).toEqual(['stale'])
    expect(kinds(...writes, { ...good, level: 'session', ...asOfTwo })).toEqual(['stale'])
    expect(kinds(...writes, { ...good, process: 2, level: 'session', ...asOfOne })).toEqual([
      'stale',
    ])
    const bounded = { ...good, level: { maxStalenessMs: 400 } } as const
    expect(kinds(...writes, { ...bounded, ...asOfTwo })).toEqual(['stale'])
    expect(kinds(...writes, { ...good, level: 'latest', engine: 'sqlite', ...asOfTwo })).toEqual([
      'stale',
    ])
  })

  it('should find torn reads', () => {
    expect(kinds(...writes, { ...good, cells: { a: 30, b: 0 } })).toEqual(['torn'])
    expect(
      kinds(...writes, { ...good, level: 'latest', ...asOfTwo, cells: { a: 30, b: 21 } }),
    ).toEqual(['torn'])
    expect(kinds(...writes, { ...good, cells: { a: 99, b: 21 } })).toEqual(['torn'])
  })

  it('should find lost and doubled transactions', () => {
    expect(kinds(...writes, { ...good, entries: 2 })).toEqual(['lost'])
    expect(kinds(...writes, { ...good, entries: 4 })).toEqual(['doubled'])
    expect(kinds(writes[0]!, writes[2]!)).toEqual(['lost'])
    expect(kinds(...writes, { ...writes[2]!, client: 5 })).toEqual(['lost'])
  })

  it('should find what is out of order', () => {
    const later = { ...good, level: 'latest', begunAt: 3.7e9, endedAt: 3.8e9 } as const
    expect(kinds(...writes, good, { ...later, ...asOfTwo })).toEqual(['out-of-order'])
    expect(kinds(...writes, good, { ...later, client: 1, ...asOfTwo })).toEqual([])
    expect(kinds(...writes, { ...good, begunAt: 1.1e9, endedAt: 1.2e9 })).toEqual([
      'from-the-future',
    ])
    const [first, second, third] = writes as [Write, Write, Write]
    expect(kinds(first, { ...second, begunAt: 5e9, endedAt: 6e9 }, third)).toEqual(['out-of-order'])
  })
})
