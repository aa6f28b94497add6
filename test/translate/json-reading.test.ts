import { afterAll, beforeAll, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// Documents of all sorts, also such as are JSON for one engine only: DuckDB refuses them, or both
// engines read the same. The long form: HTAP_JSON_DOCUMENTS=20000 HTAP_JSON_SEED=7

const documents = Number(process.env['HTAP_JSON_DOCUMENTS'] ?? 200)
const seed = Number(process.env['HTAP_JSON_SEED'] ?? 1)
let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
})

afterAll(() => engines.close())

const labels = ['"a"', '"b"', '"c"', '"A"', '"a b"', '"é"', '""', '"a\\""', '"\\u0061"', '"$"']
const plain = ['1', '-7', '0', '2.5', '1.0', '100', 'true', 'false', 'null', '"x"', '"é"', '""']
const odd = [
  ...['-0', '1e5', '-1.5E+3', '1.10', '12345678901234567890', '1E400', '0.1', '1e-7', '1e21'],
  ...['"\\u0041"', '"\\n"', '"a\\/b"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u001b"', '"\\u001B"'],
  ...['NaN', 'nan', 'Infinity', '-Infinity', 'inf', '"NaN"', '01', '+1', '.5', '1.', '0x1F'],
  ...["'q'", 'TRUE', '"\\x41"', '-', '"\t"', '"\u007f"', '"[1,2]"', '😀', '"😀"'],
]
const spaces = [' ', '\n', '\t', '\r', '\f', '\v', '\u00a0', '/*c*/', '//c\n', '\ufeff']

function documentOf(random: Random, depth: number, oddity: number): string {
  const space = () => (random.chance(oddity / 2) ? random.pick(spaces) : '')
  const comma = random.chance(oddity / 2) ? ',' : ''
  const items = (item: () => string) => Array.from({ length: random.integer(0, 3) }, item).join(',')
  const inner = () => documentOf(random, depth - 1, oddity)
  const label = () => (random.chance(oddity / 4) ? 'a' : random.pick(labels))
  const kind = depth === 0 ? 'atom' : random.weighted({ atom: 2, array: 2, object: 3 })
  const text = {
    atom: () => random.pick(random.chance(oddity) ? odd : plain),
    array: () => `[${items(inner)}${comma}]`,
    object: () => `{${items(() => `${label()}${space()}:${inner()}`)}${comma}}`,
  }[kind]()
  return `${space()}${text}${space()}`
}

function damaged(random: Random, text: string): string {
  const at = random.integer(0, text.length)
  return [...text].filter((_, i) => i !== at).join('')
}

const statements = [
  'select json_array_length(o) as z from t where n = ?',
  "select json_array_length(o, '$.a') as z from t where n = ?",
  "select json_array_length(o, '$[0].a') as z from t where n = ?",
  'select json(o) as z from t where n = ?',
  "select o -> '$' as z, o -> 'a' as y, o -> '$.b' as x, o -> 'a' -> 'b' as w from t where n = ?",
  "select o -> 0 as z, o -> '$[1]' as y, o -> '$[0][0]' as x, json_array(o -> 0) as w from t where n = ?",
]

test('documents are read alike', { timeout: 30_000 + documents * 50 }, async () => {
  const random = new Random(seed)
  engines.db.exec('create table t(n integer primary key, o text)')
  const insert = engines.db.prepare('insert into t values (?, ?)')
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  const special = ['', ' ', '[', '[,]', '{,}', '[1 2]', 'nul', '[1]x', nested(999), nested(1001)]
  for (let n = 1; n <= documents; n += 1) {
    const document = documentOf(random, 3, random.pick([0, 0.1, 0.5]))
    const made = random.chance(0.05) ? damaged(random, document) : document
    insert.run(n, special[n - 1] ?? made)
  }
  await engines.copy(random)
  const counts = { same: 0, raised: 0 }
  for (let n = 1; n <= documents; n += 1) {
    for (const sql of statements) {
      const outcome = await engines.check(sql, [n])
      const document = engines.db.prepare('select o from t where n = ?').pluck().get(n)
      expect(['same', 'raised'], `${sql}\n${document}\n${JSON.stringify(outcome)}`).toContain(
        outcome.kind,
      )
      counts[outcome.kind as keyof typeof counts] += 1
    }
  }
  expect(counts.same).toBeGreaterThan(counts.raised / 2)
})

/** Documents by what SQLite finds in them at $.a; the look at the first rows then tells the class. */
const memberTables = {
  words: ['text', 'null'],
  integers: ['integer', 'true', 'false'],
  reals: ['real'],
  numbers: ['integer', 'real', 'null'],
}

test('members are read alike', { timeout: 30_000 + documents * 50 }, async () => {
  const random = new Random(seed + 1)
  const rows: Record<string, number> = {}
  for (const [table, classes] of Object.entries(memberTables)) {
    engines.db.exec(`create table ${table}(n integer primary key, o text)`)
    const insert = engines.db.prepare(
      `insert into ${table}(o) select o from (select @o as o) where o is null or json_type(o, '$.a') in (${classes.map((name) => `'${name}'`).join(', ')})`,
    )
    insert.run({ o: `{"a":${{ words: '"x"', integers: 1, reals: 0.5, numbers: 2 }[table]}}` })
    if (table === 'numbers') {
      insert.run({ o: '{"a":2.5}' })
    }
    for (let i = 0; i < documents * 4; i += 1) {
      const atom = random.pick(random.chance(0.3) ? odd : plain)
      const document = random.chance(0.05) ? null : `{"b":${random.pick(plain)},"a":${atom}}`
      try {
        insert.run({ o: document })
      } catch {
        // Malformed for SQLite.
      }
    }
    rows[table] = engines.db.prepare(`select count(*) from ${table}`).pluck().get() as number
  }
  await engines.copy(random)
  const counts = { same: 0, raised: 0 }
  for (const table of Object.keys(memberTables)) {
    for (let n = 1; n <= (rows[table] ?? 0); n += 1) {
      const sql = `select o ->> 'a' as z, json_extract(o, '$.a') as y, o ->> '$.c' as x from ${table} where n = ?`
      const outcome = await engines.check(sql, [n])
      const document = engines.db.prepare(`select o from ${table} where n = ?`).pluck().get(n)
      expect(['same', 'raised'], `${sql}\n${document}\n${JSON.stringify(outcome)}`).toContain(
        outcome.kind,
      )
      counts[outcome.kind as keyof typeof counts] += 1
    }
  }
  expect(counts.same).toBeGreaterThan(counts.raised)
})

test('members are compared, grouped and summed', async () => {
  engines.db.exec('create table event(id integer primary key, data text)')
  const insert = engines.db.prepare('insert into event(data) values (?)')
  for (let i = 0; i < 300; i += 1) {
    const price = i % 3 === 0 ? i : i / 4
    insert.run(JSON.stringify({ kind: `k${i % 5}`, count: i, price, ok: i % 2 === 0, none: null }))
  }
  await engines.copy(new Random(1))
  for (const sql of [
    "select data ->> 'kind' as kind, count(*) as n from event group by data ->> 'kind' order by kind",
    "select count(*) as n from event where data ->> '$.kind' = 'k1' or data ->> 'none' is not null",
    "select count(*) as n from event where not data ->> '$.kind' = 'k1' and json_extract(data, '$.missing') is null",
    "select sum(json_extract(data, '$.count')) as n, max(data ->> 'count') as most from event where data ->> 'count' > 17",
    "select sum(data ->> 'price') as total, avg(data ->> 'price') as mean from event",
    "select e.data ->> 'ok' as ok, count(*) as n from event as e group by 1 order by 1",
    "select count(*) as n from event where data ->> 'ok' and data ->> 'count' between 10 and 20",
  ]) {
    expect(await engines.check(sql), sql).toMatchObject({ kind: 'same' })
  }
})
