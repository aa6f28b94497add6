import type { Random } from './random.js'

/** What the values of a column look like, whatever type was declared for it. */
export type ValueKind =
  | 'int'
  | 'huge'
  | 'real'
  | 'numeric'
  | 'bool'
  | 'text'
  | 'date'
  | 'datetime'
  | 'unix'
  | 'json'
  | 'uuid'
  | 'blob'
  | 'any'
  | 'mixed'

export type ValueClass = 'number' | 'text' | 'blob'

const classes: Readonly<Record<ValueKind, ValueClass>> = {
  int: 'number',
  huge: 'number',
  real: 'number',
  numeric: 'number',
  bool: 'number',
  unix: 'number',
  any: 'number',
  text: 'text',
  date: 'text',
  datetime: 'text',
  json: 'text',
  uuid: 'text',
  mixed: 'text',
  blob: 'blob',
}

export function classOf(kind: ValueKind): ValueClass {
  return classes[kind]
}

export const words = [
  'Anna',
  'anna',
  'bob',
  'Bob',
  'Cäsar',
  'cäsar',
  'Zoë',
  'kim',
  '',
  ' x ',
  '100%',
  'a_b',
  '5',
  '007',
  '1e3',
  'K',
  '\u212a',
  '日本',
  'z\n1',
  "o'k",
  '🙂',
  '[a]',
  'a*b',
]

const documents = [
  '{"a": 1, "b": "x"}',
  '{"a": 2.5, "b": "y", "c": [1, 2, 3]}',
  '{"a": null}',
  '{"a": {"b": [10, "ten"]}, "t": true}',
  '{"b": "é", "a": 12345678901234567890}',
  '[1, "a", null, 2.0]',
  '{}',
  '[]',
  '"text"',
  '7',
  'null',
]

const extremes = [1e15, -1e15, 1e300, 1e-300, 1e-7, 123456789.125, 5e-324, Number.POSITIVE_INFINITY]

/** A value as better-sqlite3 takes it; a bigint is stored as an integer. */
export function randomValue(kind: ValueKind, random: Random): unknown {
  switch (kind) {
    case 'int':
      return BigInt(random.integer(-3, 12))
    case 'huge':
      return random.pick([1n, 5n, -7n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 62n), 2n ** 63n - 1n])
    case 'real':
      return randomReal(random)
    case 'numeric':
      return random.pick([
        random.integer(-5, 20),
        random.integer(0, 9999) / 100,
        random.integer(0, 9999) / 100,
        random.integer(-99, 99) / 1000,
      ])
    case 'bool':
      return BigInt(random.integer(0, 1))
    case 'text':
      return random.pick(words)
    case 'date':
      return randomDate(random)
    case 'datetime':
      return `${randomDate(random)}${random.pick([' ', ' ', 'T'])}${randomTime(random)}`
    case 'unix':
      return BigInt(random.integer(1_577_836_800, 1_735_689_600))
    case 'json':
      return random.pick(documents)
    case 'uuid':
      return `${random.integer(10, 13)}000000-0000-4000-8000-00000000000${random.integer(0, 3)}`
    case 'blob':
      return Buffer.from([random.integer(0, 3), random.integer(0, 255)])
    case 'any':
      return random.chance(0.01) ? -0 : random.pick([1.5, 0, 2.25])
    case 'mixed':
      return randomValue(random.pick(['int', 'real', 'text', 'date', 'blob'] as const), random)
  }
}

export function extremeReal(random: Random): number {
  return random.pick(extremes)
}

/** What applications bind by mistake or by habit, where a value of another class would fit. */
export function oddParameter(random: Random): unknown {
  return random.pick([
    0,
    -0,
    -1,
    2.5,
    0.1,
    1e300,
    Number.NaN,
    2 ** 53,
    12n,
    2n ** 53n + 1n,
    -(2n ** 63n),
    '12',
    '12.0',
    ' 7 ',
    'abc',
    '',
    '1e3',
    '2024-01-05',
    Buffer.from([1, 2]),
    null,
  ])
}

function randomReal(random: Random): number {
  return random.pick([
    0,
    -0.5,
    random.integer(0, 9),
    random.integer(-999, 9999) / 100,
    random.integer(-999, 9999) / 100,
    random.integer(-999, 9999) / 1000,
    // What rounds to zero, from both sides.
    random.integer(-60, 60) / 1000,
    random.next() * 1000,
  ])
}

function randomDate(random: Random): string {
  const day = random.chance(0.1) ? random.pick(['28', '29', '30', '31']) : random.integer(10, 28)
  return `202${random.integer(0, 4)}-${random.pick(['01', '02', '03', '07', '11', '12'])}-${day}`
}

function randomTime(random: Random): string {
  const two = (high: number) => String(random.integer(0, high)).padStart(2, '0')
  return random.pick([
    `${two(23)}:${two(59)}:${two(59)}`,
    `${two(23)}:${two(59)}:${two(59)}.${two(99)}5`,
    `${two(23)}:${two(59)}`,
  ])
}
