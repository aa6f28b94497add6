import { expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random.js'
import { QueryMaker } from './random-query.js'
import { randomSchema } from './random-schema.js'

// The long form: HTAP_DIFFERENTIAL_QUERIES=300000 HTAP_DIFFERENTIAL_SEED=7 npx vitest run test/translate/differential
const queries = Number(process.env['HTAP_DIFFERENTIAL_QUERIES'] ?? 1500)
const firstSeed = Number(process.env['HTAP_DIFFERENTIAL_SEED'] ?? 1)
const queriesPerSchema = 100

test('random statements give the same rows, order and values in both engines, or stay on SQLite', {
  timeout: 10_000 + queries * 50,
}, async () => {
  const counts = { same: 0, kept: 0, raised: 0, invalid: 0, different: 0 }
  const reasons = new Map<string, number>()
  const differences: string[] = []
  for (let run = 0; run * queriesPerSchema < queries && differences.length < 5; run += 1) {
    const seed = firstSeed * 1_000_003 + run
    const random = new Random(seed)
    const engines = await BothEngines.open()
    try {
      const tables = randomSchema(engines.db, random)
      await engines.copy(random)
      const maker = new QueryMaker(random, tables)
      for (let i = 0; i < queriesPerSchema; i += 1) {
        const { sql, parameters } = maker.make()
        const outcome = await engines.check(sql, parameters)
        counts[outcome.kind] += 1
        if (outcome.kind === 'kept') {
          count(reasons, `kept: ${outcome.reason}`)
        } else if (outcome.kind === 'raised') {
          count(reasons, `raised: ${outcome.message.slice(0, 70).replaceAll('\n', ' ')}`)
        } else if (outcome.kind === 'different') {
          differences.push(
            `seed ${seed}, statement ${i}\n${sql}\n${show(parameters)}\n${outcome.duckSql}\n` +
              `sqlite ${show(outcome.sqlite)}\nduckdb ${show(outcome.duck)}`,
          )
        }
      }
    } finally {
      await engines.close()
    }
  }
  console.log(counts, new Map([...reasons].sort((a, b) => b[1] - a[1]).slice(0, 40)))
  expect(differences.join('\n\n')).toBe('')
  expect(counts.same).toBeGreaterThan(counts.kept + counts.raised)
})

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : Object.is(inner, -0) ? '-0' : inner,
  ).slice(0, 1500)
}
