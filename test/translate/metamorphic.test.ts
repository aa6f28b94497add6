import { afterAll, beforeAll, expect, test } from 'vitest'
import { repetitions } from '../support/deep.js'
import { BothEngines } from './both-engines.js'
import { show } from './case-script.js'
import { condition } from './random/conditions.js'
import { QueryWriter } from './random/query-writer.js'
import { Random } from './random/random.js'
import { type RandomTable, randomSchema } from './random/random-schema.js'
import { from } from './random/sources.js'

// Several statements whose answers belong together, whatever the data: each must be the same in
// both engines, and together they must add up. HTAP_METAMORPHIC=20000 runs more of them.
const predicates = repetitions('HTAP_METAMORPHIC', 300)
const seed = repetitions('HTAP_SEED', 1)
const predicatesPerSchema = 25

let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
})

afterAll(() => engines.close())

/** A FROM clause and a condition over it, with the parameters of both in the order of their text. */
interface Predicate {
  /** Puts the two into a statement in which each stands as often as wanted. */
  readonly write: (template: string) => {
    readonly sql: string
    readonly parameters: readonly unknown[]
  }
}

function randomPredicate(random: Random, tables: readonly RandomTable[]): Predicate {
  const writer = new QueryWriter(random, tables)
  const { sql, sources } = from(writer, 1)
  let text = condition(writer, sources, 2)
  // The first of many rows depends on the plan, and so on the statement around it.
  while (/limit|\(select (?!1 |count|max|min)/i.test(text)) {
    text = condition(writer, sources, 1)
  }
  return {
    write: (template) =>
      writer.finish(template.replaceAll('{from}', `from ${sql}`).replaceAll('{p}', `(${text})`)),
  }
}

async function eachPredicate(look: (predicate: Predicate, title: string) => Promise<void>) {
  for (let done = 0, run = 0; done < predicates; run += 1) {
    const random = new Random(seed * 7_000_003 + run)
    const tables = randomSchema(engines.reset(), random)
    await engines.copy(random)
    for (let i = 0; i < predicatesPerSchema && done < predicates; i += 1, done += 1) {
      await look(
        randomPredicate(random, tables),
        `HTAP_SEED=${seed}, schema ${run}, predicate ${i}`,
      )
    }
  }
}

/** SQLite's rows, which DuckDB must give as well unless the statement stays on SQLite. */
async function ask(predicate: Predicate, template: string, title: string) {
  const { sql, parameters } = predicate.write(template)
  const outcome = await engines.check(sql, parameters)
  expect(outcome, `${title}\n${sql}\n${show(parameters)}`).not.toMatchObject({ kind: 'different' })
  kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1
  return engines.runSqlite(sql, parameters)
}

const kinds: Record<string, number> = {}

test('a condition, its contrary and its being unknown divide the rows', {
  timeout: 60_000 + predicates * 200,
}, async () => {
  await eachPredicate(async (predicate, title) => {
    const all = await ask(predicate, 'select * {from}', title)
    const parts = [
      await ask(predicate, 'select * {from} where {p}', title),
      await ask(predicate, 'select * {from} where not {p}', title),
      await ask(predicate, 'select * {from} where {p} is null', title),
    ]
    // A condition that raises for one row raises in some of the statements and not in others.
    if (typeof all !== 'string' && parts.every((part) => typeof part !== 'string')) {
      const { sql, parameters } = predicate.write('select * {from} where {p}')
      const together = parts.flatMap((part) => part as unknown[][])
      expect(sorted(together), `${title}\n${sql}\n${show(parameters)}`).toEqual(sorted(all))
    }
  })
  console.log(`rows: ${JSON.stringify(kinds)}`)
})

const counts = [
  'select count(*) {from} where {p}',
  'select coalesce(sum(case when {p} then 1 else 0 end), 0) {from}',
  'select count(*) filter (where {p}) {from}',
  'select count(case when {p} then 1 end) {from}',
  'select count(*) from (select 1 {from} where {p})',
  'select coalesce(sum("n"), 0) from (select count(*) as "n" {from} where {p} group by {p})',
  'with "t" as (select iif({p}, 1, 0) as "p" {from}) select count(*) from "t" where "p" = 1',
]

test('a count is the same however it is asked for', {
  timeout: 60_000 + predicates * 200,
}, async () => {
  await eachPredicate(async (predicate, title) => {
    const answers: unknown[] = []
    for (const template of counts) {
      const rows = await ask(predicate, template, title)
      answers.push(typeof rows === 'string' ? 'raised' : rows[0]![0])
    }
    if (!answers.includes('raised')) {
      const { sql, parameters } = predicate.write('select count(*) {from} where {p}')
      const message = `${title}\n${sql}\n${show(parameters)}\n${show(answers)}`
      expect(new Set(answers).size, message).toBe(1)
    }
  })
  console.log(`counts: ${JSON.stringify(kinds)}`)
  expect(kinds['same']).toBeGreaterThan(kinds['kept']! / 2)
})

function sorted(rows: readonly unknown[][]): string[] {
  return rows.map((row) => row.map((value) => show(value)).join()).sort()
}
