import { afterAll, beforeAll, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// Sums of reals are SQLite's to the last bit, whichever of the two forms computes them.

const seed = Number(process.env['HTAP_SEED'] ?? 11)
let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
  const random = new Random(seed)
  engines.db.exec('create table t(id integer primary key, g integer, near real, far real)')
  const insert = engines.db.prepare('insert into t(g, near, far) values (?, ?, ?)')
  for (let i = 0; i < 3000; i += 1) {
    const sign = random.chance(0.2) ? -1 : 1
    const near = random.chance(0.05) ? 0 : sign * (3 + random.next() * 170)
    insert.run(BigInt(random.integer(0, 40)), near, sign * (0.01 + random.next() ** 6 * 1e4))
  }
  await engines.copy(random)
})

afterAll(() => engines.close())

const forms = [
  ['near', false],
  ['far', true],
] as const

test.each(forms)('of %s values', async (column, needsExtremes) => {
  for (const aggregate of ['sum', 'avg', 'total']) {
    for (const sql of [
      `select ${aggregate}(${column}) from t`,
      `select g, ${aggregate}(${column}) from t group by g order by g`,
      `select g, ${aggregate}(${column}) filter (where id % 3 = 0) from t group by g order by g`,
      `select id, ${aggregate}(${column}) over (order by id rows 20 preceding) from t order by id`,
    ]) {
      const outcome = await engines.check(sql)
      expect(outcome, `seed ${seed}: ${sql}`).toMatchObject({ kind: 'same' })
      expect(outcome.kind === 'same' && outcome.sql.includes('max(abs(')).toBe(needsExtremes)
    }
  }
})
