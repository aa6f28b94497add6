import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// Date functions over random moments, and over texts that only SQLite takes for moments.

const rows = 3000
const seed = Number(process.env['HTAP_SEED'] ?? 1)

const formats = [
  ...['%Y', '%m', '%d', '%Y-%m', '%m-%d', '%Y-%m-%d', '%F', '%Y-%m-01', '%d.%m.%Y', '%Y%m%d'],
  ...['%H', '%M', '%S', '%f', '%T', '%R', '%I', '%p', '%H:00', '%s', '%Y-%m-%dT%H:%M:%SZ'],
  ...['%j', '%w', '%u', '%U', '%W', '%G', '%V', '%G-W%V', '%Y-%W', '%%Y 100%% %Y', "it''s é %m"],
]

const spans = ['second', 'minutes', 'hours', 'days', 'months', 'years'] as const
const spanMax = { second: 1e6, minutes: 1e5, hours: 1e4, days: 1e4, months: 300, years: 30 }
const anchors = ['start of day', 'start of month', 'start of year', 'Start Of Month']

function randomModifier(random: Random): string {
  switch (random.integer(0, 4)) {
    case 0:
      return random.pick(anchors)
    case 1:
      return `weekday ${random.integer(0, 6)}`
    default: {
      const unit = random.pick(spans)
      const count = random.chance(0.5)
        ? random.integer(-3, 14)
        : random.integer(-spanMax[unit], spanMax[unit])
      return `${random.pick(['', count < 0 ? '' : '+'])}${count} ${unit}`
    }
  }
}

const single = [
  ...anchors,
  ...Array.from({ length: 7 }, (_, day) => `weekday ${day}`),
  ...['+1 day', '-1 day', '-30 days', '+1 month', '-1 month', '+13 months', '-11 months'],
  ...['+1 year', '-1 year', '-4 years', '+6 hours', '-90 minutes', '30 seconds', '+000 days'],
]

function modifierLists(random: Random): readonly (readonly string[])[] {
  const mixed = Array.from({ length: 12 }, () =>
    Array.from({ length: random.integer(1, 4) }, () => randomModifier(random)),
  )
  return [[], ...single.map((modifier) => [modifier]), ...mixed]
}

function statement(table: string, operand: string, first: readonly string[]): string {
  const rest = [operand, ...first.map((modifier) => `'${modifier}'`)].join(', ')
  const calls = [
    ...['date', 'time', 'datetime', 'julianday', 'unixepoch'].map((name) => `${name}(${rest})`),
    ...formats.map((format) => `strftime('${format}', ${rest})`),
  ]
  return `select id, ${calls.join(', ')} from ${table} order by id`
}

const pad = (value: number, length = 2) => String(value).padStart(length, '0')

function randomDay(random: Random, year: number): string {
  const edges = ['01-01', '01-03', '01-04', '12-28', '12-29', '12-31', '02-28', '03-01']
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  const month = random.integer(1, 12)
  const last = lengths[month - 1] ?? 28
  switch (random.integer(0, 3)) {
    case 0:
      return `${pad(year, 4)}-${random.pick(edges)}`
    case 1:
      return `${pad(year, 4)}-${pad(month)}-${pad(last)}`
    default:
      return `${pad(year, 4)}-${pad(month)}-${pad(random.integer(1, last))}`
  }
}

function randomText(random: Random, year: number): string {
  const day = randomDay(random, year)
  const isEdge = random.chance(0.2)
  const hour = isEdge ? random.pick([0, 11, 12, 23]) : random.integer(0, 23)
  const minute = isEdge ? random.pick([0, 59]) : random.integer(0, 59)
  const second = isEdge ? random.pick([0, 59]) : random.integer(0, 59)
  const [minutes, seconds] = [`${pad(hour)}:${pad(minute)}`, pad(second)]
  const ms = isEdge ? random.pick(['000', '001', '999']) : pad(random.integer(0, 999), 3)
  const separator = random.pick([' ', 'T'])
  return random.pick([
    day,
    `${day}${separator}${minutes}`,
    `${day}${separator}${minutes}:${seconds}`,
    `${day}${separator}${minutes}:${seconds}.${ms}`,
    `${day}${separator}${minutes}:${seconds}.${ms.slice(0, random.integer(1, 2))}`,
    `${day}${separator}${minutes}:${seconds}${random.pick(['', `.${ms}`])}Z`,
  ])
}

/** Moments for SQLite, or nothing at all for it, or something in between. */
const odd = [
  ...['2024-02-30', '2024-02-31', '2023-02-29', '2024-04-31', '2024-13-01', '2024-00-10'],
  ...['2024-01-00', '2024-01-32', '0000-01-01', '-001-01-01', '10000-01-01', '2024-1-5', '2024'],
  ...['24-01-15', '20240115', '2024/01/15', '2024-01', '10:20', '10:20:30', '2460310.5', '0', '-1'],
  ...['2024-01-15 ', ' 2024-01-15', '2024-01-15T', '2024-01-15 24:00:00', '2024-01-15 23:60'],
  ...['2024-01-15  10:20', '2024-01-15 10:20 ', '2024-01-15 10:20:60', '2024-01-15 10:20:59.9995'],
  ...['2024-01-15 10:20:30.1234', '2024-01-15 10:20:30.123456', '2024-01-15 10:20:30.'],
  ...['2024-01-15 10:20+02:00', '2024-01-15 10:20:30-05:30', '2024-01-15T10:20Z', '2024-01-15Z'],
  ...['2024-01-15 10:20:30z', '2024-01-15 10:20:30 Z', '2024-01-15t10:20:30', '2024-01-15 1:20'],
  ...['', 'now', 'today', 'Anna', '2024-01-15\n', '2024-01-15x', '٢٠٢٤-01-15', '1e3', 'infinity'],
  ...['epoch', '2024-01-15 10:20:30.123 UTC', '2024-01-15 (BC)', '1706700000'],
]

let engines: BothEngines
const random = new Random(seed)

beforeAll(async () => {
  engines = await BothEngines.open()
  const { db } = engines
  db.exec(`
    create table moments (id integer primary key, x text, m datetime, u integer);
    create table edges (id integer primary key, x text, u integer);
    create table odds (id integer primary key, x text, u integer);`)
  const moment = db.prepare('insert into moments values (?, ?, ?, cast(? as integer))')
  const edge = db.prepare('insert into edges values (?, ?, cast(? as integer))')
  for (let id = 1; id <= rows; id += 1) {
    const year = random.chance(0.8) ? random.integer(1970, 2037) : random.integer(1300, 8700)
    const text = random.chance(0.02) ? null : randomText(random, year)
    const seconds = random.chance(0.8) ? random.integer(0, 2 ** 31) : random.integer(-2e10, 2e11)
    moment.run(id, text, text, random.chance(0.02) ? null : seconds)
    const [low, high] = random.pick([
      [1, 4],
      [9996, 9999],
    ] as const)
    const limit = random.pick([-62_135_596_800, 253_402_300_799])
    const inwards = random.integer(0, 1e8) * (limit < 0 ? 1 : -1)
    edge.run(id, randomText(random, random.integer(low, high)), limit + inwards)
  }
  const strange = db.prepare('insert into odds values (?, ?, cast(? as integer))')
  const numbers = [-62_135_596_801, 253_402_300_800, -1e15, 1e15, -210_866_760_001]
  odd.forEach((text, i) => {
    strange.run(i, text, numbers[i % numbers.length])
  })
  await engines.copy(new Random(seed))
})

afterAll(() => engines.close())

describe('date functions', () => {
  test.each(['x', 'm', "u, 'unixepoch'"])(
    'of %s are the same for every plain moment',
    async (operand) => {
      for (const modifiers of modifierLists(random)) {
        const outcome = await engines.check(statement('moments', operand, modifiers))
        expect(outcome, modifiers.join()).toMatchObject({ kind: 'same' })
      }
    },
    120_000,
  )

  test.each(['x', "u, 'unixepoch'"])(
    'of %s are the same in the first and last years',
    async (it) => {
      expect(await engines.check(statement('edges', it, []))).toMatchObject({ kind: 'same' })
      for (const anchor of anchors) {
        expect(await engines.check(statement('edges', it, [anchor]))).toMatchObject({
          kind: 'same',
        })
      }
    },
  )

  test.each(['x', "u, 'unixepoch'"])(
    'of %s never differ when modifiers lead out of the calendar',
    async (operand) => {
      for (const modifiers of modifierLists(random)) {
        for (const id of [random.integer(1, rows), random.integer(1, rows)]) {
          const sql = statement(`(select * from edges where id = ${id}) as e`, operand, modifiers)
          expect((await engines.check(sql)).kind, sql).toMatch(/^(?:same|raised)$/)
        }
      }
    },
    120_000,
  )

  test.each(['x', "u, 'unixepoch'"])('of %s never differ for other values', async (operand) => {
    for (const [id, text] of odd.entries()) {
      const from = `(select * from odds where id = ${id}) as o`
      for (const modifiers of [[], ['+1 month', 'weekday 1']]) {
        const { kind } = await engines.check(statement(from, operand, modifiers))
        expect(kind, `${text} ${modifiers.join()}`).toBe('raised')
      }
    }
  })

  test.each([
    ...['localtime', 'utc', 'subsec', 'auto', 'julianday', 'floor', 'ceiling', '+1.5 days'],
    ...['+01:30', '+0001-00-00', 'weekday 7', 'weekday 1.5', '+1day', '+1 week', 'unixepoch'],
    ...['+99999999 days', 'start of week', ' start of day', ''],
  ])('with the modifier %s stay on SQLite', async (modifier) => {
    const { kind } = await engines.check(`select date(x, '${modifier}') from moments`)
    expect(kind).toBe('kept')
  })

  test.each(['%e', '%k', '%l', '%P', '%J', '%D', '%y', '%C', '%Z', '%', '%Y%', ''])(
    'in the format "%s" stay on SQLite',
    async (format) => {
      const { kind } = await engines.check(`select strftime('${format}', x) from moments`)
      expect(kind).toBe('kept')
    },
  )

  test('never differ when formats and modifiers are parameters', async () => {
    const sql = 'select id, strftime(?, x, ?), date(x, ?) from moments order by id'
    const parameters = ['%Y-%m', '-7 days', '+1 month']
    expect((await engines.check(sql, parameters)).kind).toMatch(/^(?:same|raised)$/)
    expect(await engines.check(sql, ['%Y-%m', 'localtime', '+1 month'])).toMatchObject({
      kind: 'kept',
    })
  })

  test('nest, group and compare', async () => {
    for (const sql of [
      "select strftime('%Y-%m', date(datetime(x, '+1 month'), 'start of month')) as k, count(*) from moments group by k order by k",
      "select id from moments where date(x) >= date('2020-01-31', '+1 month') order by id",
      'select id, julianday(x) - julianday(m), unixepoch(x) - u from moments order by id',
      "select id, cast(strftime('%Y', x) as integer) from moments order by id",
    ]) {
      expect(await engines.check(sql), sql).toMatchObject({ kind: 'same' })
    }
  })
})
