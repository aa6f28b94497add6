import { afterAll, beforeAll, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// JSON texts are compared letter by letter: how each engine escapes and prints numbers shows.

const rounds = 40
let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
})

afterAll(() => engines.close())

const pieces = [
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  ...['"', '\\', '/', '\u007f', "'", '{"a":1}', '[', ']', ':', ',', '\\u00', '\\u001B', 'null'],
  ...[
    'é',
    'ß',
    '日本',
    '😀',
    '👩‍👩‍👧',
    '\u2028',
    '\ufeff',
    '\u0080',
    '\uffff',
    '\u{10ffff}',
    ' ',
    'a',
  ],
]

/** Without the control characters whose escape has a letter, which the engines write differently. */
const common = pieces.filter((piece) => !/\\u00[01][a-f]/.test(JSON.stringify(piece)))

function textOf(random: Random, from: readonly string[]): string {
  return Array.from({ length: random.integer(0, 6) }, () => random.pick(from)).join('')
}

function integerOf(random: Random): bigint {
  const bits = BigInt(random.integer(0, 63))
  const size = random.chance(0.1) ? 2n ** 63n - 1n : BigInt(random.integer(0, 2 ** 31)) << bits
  return BigInt.asIntN(64, random.chance(0.5) ? size : -size)
}

function realOf(random: Random): number {
  const digits = random.integer(0, 10 ** random.integer(1, 13))
  return (random.chance(0.5) ? 1 : -1) * (digits / 10 ** random.integer(0, 12)) || 0
}

async function fill(random: Random, from: readonly string[]): Promise<void> {
  engines.db.exec(
    'drop table if exists t; create table t(n integer primary key, i integer, r real, x text, y text, k text not null)',
  )
  const insert = engines.db.prepare('insert into t values (?, ?, ?, ?, ?, ?)')
  const orNull = <T>(value: T) => (random.chance(0.1) ? null : value)
  for (let n = 1; n <= 40; n += 1) {
    const texts = [orNull(textOf(random, from)), orNull(textOf(random, from)), textOf(random, from)]
    insert.run(BigInt(n), orNull(integerOf(random)), orNull(realOf(random)), ...texts)
  }
  await engines.copy(random)
}

const statements = [
  'select n, json_array(i) as z from t order by n',
  'select n, json_array(r) as z from t where abs(r) >= 0.001 and abs(r) < 1e14 order by n',
  'select n, json_array(x, i, null, y, i > 0) as z from t order by n',
  "select n, json_object('a', x, 'it''s', i, '\"\\', y) as z from t order by n",
  'select n, json_object(k, x, k, json_array(y, json_object(k, i))) as z from t order by n',
  'select n, json_quote(x) as z, json_quote(i) as w from t order by n',
  'select n, json_array(x, ?, ?) as z from t order by n',
  'select n, json_object(?, x, ?, i) as z from t order by n',
]

test('json_array, json_object and json_quote write the same text', async () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const random = new Random(seed)
    await fill(random, common)
    for (const sql of statements) {
      const holes = sql.split('?').length - 1
      const parameters = Array.from({ length: holes }, () => textOf(random, common))
      const outcome = await engines.check(sql, parameters)
      expect(outcome, `${sql} ${JSON.stringify(parameters)}`).toMatchObject({ kind: 'same' })
    }
  }
})

test('what the engines escape differently stays on SQLite', async () => {
  const kinds = new Set<string>()
  for (let seed = 1; seed <= rounds; seed += 1) {
    const random = new Random(seed)
    await fill(random, pieces)
    for (const sql of statements) {
      const holes = sql.split('?').length - 1
      const parameters = Array.from({ length: holes }, () => textOf(random, pieces))
      kinds.add((await engines.check(sql, parameters)).kind)
    }
  }
  expect([...kinds].sort()).toEqual(['raised', 'same'])
})

test.each([
  ['same', 'select n, json_array(json_array(i)) as z from t order by n'],
  ['same', 'select n, json_array(z) as y from (select n, json_array(i) as z from t) order by n'],
  [
    'same',
    'with c as (select n, json_array(i) as z from t) select json_array(z) from c order by n',
  ],
  ['kept', 'select n, json_array((select json_array(t.i))) as z from t order by n'],
  [
    'same',
    "select n, json_array(json_array('a')) as z, json_array(i, json_array('a')) from t order by n",
  ],
  ['same', 'select n, json_array(coalesce(json_array(i), json_array())) as z from t order by n'],
  ['same', 'select n, json_array(case when i > 0 then json_array(i) end) as z from t order by n'],
  ['same', 'select n, json_array(cast(json_array(i) as text)) as z from t order by n'],
  ['same', 'select n, json_array(first_value(x) over (order by n)) as z from t order by n'],
  ['kept', 'select n, json_array(coalesce(x, json_array(i))) as z from t order by n'],
  ['kept', "select n, json_array(i, coalesce(null, json_array('a'))) as z from t order by n"],
  ['kept', 'select json_array(max(json_array(i))) as z from t'],
  ['kept', 'select n, json_array(lag(json_array(i)) over (order by n)) as z from t order by n'],
  ['kept', 'select n, json_array(trim(json_array(i))) as z from t order by n'],
  [
    'kept',
    'select n, json_array((select json_array(b.i) from t b order by b.n limit 1)) as z from t order by n',
  ],
  [
    'kept',
    'select n, json_array((select json_array(t.i) union all select json_array(1))) as z from t order by n',
  ],
] as const)('knows where a text is JSON: %s, %s', async (kind, sql) => {
  await fill(new Random(1), common)
  expect(await engines.check(sql)).toMatchObject({ kind })
})
