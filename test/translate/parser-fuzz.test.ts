import SqliteDatabase from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { parseSelect } from '../../dist/dialect/translate/parse/parse-select.js'
import { tokenize } from '../../dist/dialect/translate/parse/tokenize.js'
import { translate } from '../../dist/dialect/translate/translate.js'
import { repetitions } from '../support/deep.js'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'
import { randomQuery } from './random/random-query.js'
import { randomSchema } from './random/random-schema.js'
import { mutated, randomText, tokenSoup } from './random/token-soup.js'

// HTAP_FUZZ=1000000 runs the long form, HTAP_SEED repeats a run.
const inputs = repetitions('HTAP_FUZZ', 20_000)
const seed = repetitions('HTAP_SEED', 1)

const schemaSeed = 7
const { statements, tables } = validStatements()

describe('no input makes the parser throw', { timeout: 60_000 + inputs }, () => {
  test.each([
    ['characters', (random: Random) => randomText(random)],
    ['words of the grammar', (random: Random) => tokenSoup(random)],
    ['changed statements', (random: Random) => mutated(random, random.pick(statements))],
  ])('%s', (_, make) => {
    const random = new Random(seed)
    for (let i = 0; i < inputs / 3; i += 1) {
      const sql = make(random)
      if (throwsOn(sql)) {
        expect.fail(`seed ${seed}, input ${i}: ${JSON.stringify(smallest(sql))}`)
      }
    }
  })

  test('nor the translator, for whatever is left of a statement that SQLite accepts', async () => {
    const random = new Random(seed)
    const engines = await BothEngines.open()
    try {
      randomSchema(engines.db, new Random(schemaSeed))
      await engines.copy(random)
      for (let i = 0; i < inputs / 3; i += 1) {
        const sql = mutated(random, random.pick(statements))
        const reason = reasonToKeep(engines, sql)
        // What it throws inside it catches, and says so.
        expect(reason, `seed ${seed}, input ${i}: ${sql}`).not.toBe('translator failed')
      }
    } finally {
      await engines.close()
    }
  })

  test('every statement that the generator writes is understood', () => {
    // All but `x in t`, which stays on SQLite.
    const strange = statements.filter(
      (sql) => parseSelect(sql).kind !== 'select' && !/ in "/.test(sql),
    )
    expect(strange).toEqual([])
    expect(tables.length).toBeGreaterThan(0)
  })
})

describe('the time to parse grows with the text, not faster', () => {
  test.each<[family: string, of: (n: number) => string]>([
    ['a list of IN', (n) => `select a from t where a in (${'1, '.repeat(n)}1)`],
    ['a list of parameters', (n) => `select a from t where a in (${'?, '.repeat(n)}?)`],
    ['a list of columns', (n) => `select ${'a as b, '.repeat(n)}a from t`],
    ['AND', (n) => `select a from t where ${'a = 1 and '.repeat(n)}b`],
    ['OR NOT', (n) => `select a from t where ${'not a or '.repeat(n)}b`],
    ['concatenation', (n) => `select ${"a || 'x' || ".repeat(n)}a from t`],
    ['parentheses', (n) => `select ${'('.repeat(n)}a${')'.repeat(n)} from t`],
    ['open parentheses', (n) => `select ${'('.repeat(n)}`],
    ['open lists', (n) => `select ${'(a, '.repeat(n)}`],
    ['function calls', (n) => `select ${'abs('.repeat(n)}a${')'.repeat(n)} from t`],
    ['CASE in CASE', (n) => `select ${'case when a then '.repeat(n)}1${' end'.repeat(n)} from t`],
    ['open CASE', (n) => `select ${'case when '.repeat(n)}`],
    ['branches of CASE', (n) => `select case ${'when a then b '.repeat(n)}end from t`],
    ['joins', (n) => `select * from t ${'join u on t.a = u.a '.repeat(n)}`],
    ['joins without ON', (n) => `select * from t ${', t '.repeat(n)}where`],
    ['unions', (n) => `${'select a from t union all '.repeat(n)}select a from t`],
    ['subqueries', (n) => `${'select * from ('.repeat(n)}select 1${')'.repeat(n)}`],
    [
      'subqueries in conditions',
      (n) => `select a from t${' where a in (select a from t'.repeat(n)}`,
    ],
    [
      'common tables',
      (n) => `with ${'c as (select 1), '.repeat(n)}d as (select 2) select * from d`,
    ],
    ['rows of VALUES', (n) => `values ${'(1, 2), '.repeat(n)}(1, 2)`],
    ['quotes', (n) => `select '${"''".repeat(n)}' from t`],
    ['open quotes', (n) => `select '${"''".repeat(n)}`],
    ['quoted names', (n) => `select ${'"a""b".'.repeat(n)}c`],
    ['many open quotes of each sort', (n) => `select ${'[ " ` '.repeat(n)}`],
    ['comments', (n) => `select ${'/* * / ** */ -- x\n'.repeat(n)}1`],
    ['an open comment', (n) => `select 1 /* ${'* / /* '.repeat(n)}`],
    ['signs', (n) => `select ${'- '.repeat(n)}1`],
    ['NOT', (n) => `select ${'not '.repeat(n)}1`],
    ['digits', (n) => `select ${'1'.repeat(n)}${'_1'.repeat(n)}x`],
    ['hexadecimal digits', (n) => `select x'${'0f'.repeat(n)}0'`],
    ['ESCAPE and COLLATE', (n) => `select a ${'collate nocase '.repeat(n)}from t`],
    ['BETWEEN', (n) => `select ${'a between b and '.repeat(n)}c from t`],
    ['windows', (n) => `select ${'sum(a) over (partition by b order by c), '.repeat(n)}1 from t`],
  ])('%s', (_, of) => {
    const unit = (of(200).length - of(100).length) / 100
    // As long as a text may be at most.
    expect(isLinear(parseSelect, of, Math.floor(95_000 / unit))).toBe(true)
  })

  test('and this would notice if it grew faster', () => {
    const quadratic = (text: string) => {
      let sum = 0
      for (let i = 0; i < text.length; i += 1) {
        for (let j = 0; j < text.length; j += 1) {
          sum += i ^ j
        }
      }
      return sum
    }
    expect(isLinear(quadratic, (n) => 'x'.repeat(n), 8000)).toBe(false)
  })
})

function throwsOn(sql: string): boolean {
  try {
    parseSelect(sql)
    return false
  } catch {
    return true
  }
}

/** Takes out pieces for as long as the parser still throws. */
function smallest(sql: string): string {
  let left = sql
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length; ) {
      const shorter = left.slice(0, at) + left.slice(at + size)
      if (throwsOn(shorter)) {
        left = shorter
      } else {
        at += size
      }
    }
  }
  return left
}

const times = 16

/**
 * Whether a text that is 16 times as long takes about as long as 16 runs of the short one; in quadratic time it
 * would take 16 times that. Both sides do as much work and leave as much garbage, so that a slow machine
 * slows both. Other processes only make a run longer: the quickest ones count, and one good round is enough.
 */
function isLinear(
  run: (text: string) => unknown,
  of: (n: number) => string,
  most: number,
): boolean {
  const short = of(Math.floor(most / times))
  const long = of(most)
  const runShort = () => {
    for (let i = 0; i < times; i += 1) {
      run(short)
    }
  }
  // The first runs are those of code that is not compiled yet.
  runShort()
  for (let round = 0; round < 10; round += 1) {
    if (quickest(() => run(long)) < 6 * quickest(runShort)) {
      return true
    }
  }
  return false
}

/** In milliseconds. */
function quickest(run: () => unknown): number {
  const durations = Array.from({ length: 5 }, () => {
    const startMs = performance.now()
    run()
    return performance.now() - startMs
  })
  return Math.min(...durations)
}

function validStatements() {
  const db = new SqliteDatabase(':memory:')
  const random = new Random(schemaSeed)
  const tables = randomSchema(db, random)
  const made = Array.from({ length: 500 }, () => randomQuery(random, tables).sql)
  const statements = made.filter((sql) => {
    try {
      db.prepare(sql)
      return true
    } catch {
      return false
    }
  })
  db.close()
  return { statements, tables }
}

/** Null where SQLite refuses the statement or the translator takes it. */
function reasonToKeep(engines: BothEngines, sql: string): string | null {
  const marks = (tokenize(sql) ?? []).filter((token) => token.kind === 'parameter').length
  let context: Parameters<typeof translate>[1]
  try {
    context = engines.context(sql, Array<number>(marks).fill(1))
  } catch {
    return null
  }
  const translation = translate(sql, context)
  return translation.kind === 'kept' ? translation.reason : null
}
