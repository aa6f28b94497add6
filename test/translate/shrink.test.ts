import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Rule, ruleId } from '../../dist/dialect/translate/rules/rule.js'
import { ruleTable } from '../../dist/dialect/translate/rules/rule-table.js'
import type { Typed } from '../../dist/dialect/translate/typed.js'
import { BothEngines } from './both-engines.js'
import { runCampaign } from './campaign.js'
import { printCase, scriptOf, statementsOf } from './case-script.js'
import { Random } from './random/random.js'
import { randomSchema } from './random/random-schema.js'
import { shrink } from './shrink.js'

// A proof that never finds anything proves nothing: rules are broken here on purpose.

describe('a broken rule', () => {
  let engines: BothEngines

  beforeAll(async () => {
    engines = await BothEngines.open()
  })

  afterAll(() => engines.close())

  test('is found by random statements, and shown by a small script', {
    timeout: 120_000,
  }, async () => {
    const { differences } = await broken('sum(int)', () =>
      runCampaign({
        queries: 400,
        seed: 1,
        queriesPerSchema: 50,
        differencesMax: 1,
        onProgress: () => {},
      }),
    )
    const [script = ''] = differences
    expect(script).toMatch(/-- sqlite .*\n-- duckdb /)
    const statements = script.split('\n').filter((line) => !line.startsWith('--'))
    expect(statements.join('\n').length).toBeLessThan(400)
  })

  test('leaves of a database only what shows it', async () => {
    await broken('sum(int)', async () => {
      const random = new Random(3)
      const db = engines.reset()
      randomSchema(db, random)
      db.exec('create table n (id integer primary key, i int, s text, r real)')
      db.exec("insert into n values (1, 5, 'a', 1.5), (2, null, 'b', 2.5), (3, 7, 'a', 3.5)")
      await engines.copy(random)
      const sql =
        'select n.s, max(r) as m, sum(n.i) as t from n where n.id < ? or ? is null group by n.s order by n.s'
      const smallest = await shrink(engines, { database: scriptOf(db), sql, parameters: [9, null] })
      // `select sum(1)` needs no table at all.
      expect(smallest.database.tables.length).toBeLessThanOrEqual(1)
      expect(smallest.database).toMatchObject({ indexes: [], views: [] })
      expect(smallest.sql.length).toBeLessThan(30)
      expect(smallest.parameters).toEqual([])
      const outcome = await engines.check(smallest.sql, smallest.parameters)
      expect(outcome.kind === 'different' && printCase(smallest, outcome)).toContain(smallest.sql)
    })
  })
})

test('a script makes the database again, to the class and bit of every value', async () => {
  const engines = await BothEngines.open()
  try {
    for (let seed = 1; seed <= 20; seed += 1) {
      const db = engines.reset()
      randomSchema(db, new Random(seed))
      const script = scriptOf(db)
      const again = engines.reset()
      again.exec(statementsOf(script).join(';\n'))
      expect(scriptOf(again), `seed ${seed}`).toEqual(script)
    }
  } finally {
    await engines.close()
  }
})

/** Runs something while a rule gives one more than it should. */
async function broken<T>(id: string, run: () => Promise<T>): Promise<T> {
  const rule = ruleTable.find((entry: Rule) => ruleId(entry) === id)
  const target = rule as unknown as { apply: (...operands: unknown[]) => Typed | null }
  const { apply } = target
  target.apply = (...operands) => {
    const result = apply.apply(rule, operands)
    return result === null ? null : { ...result, sql: `(${result.sql} + 1)` }
  }
  try {
    return await run()
  } finally {
    target.apply = apply
  }
}
