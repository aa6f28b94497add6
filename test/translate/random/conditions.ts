import { dateComparison } from './dates.js'
import { documentCondition } from './documents.js'
import { numberOf } from './numbers.js'
import {
  type Choices,
  type Column,
  literal,
  type QueryWriter,
  type Source,
} from './query-writer.js'
import { classOf } from './random-value.js'
import { source } from './sources.js'
import { textOf } from './texts.js'

export function where(w: QueryWriter, sources: readonly Source[], share = 0.5): string {
  return w.random.chance(share) ? ` where ${condition(w, sources, 2)}` : ''
}

/** A truth value over the columns of the sources. */
export function condition(w: QueryWriter, sources: readonly Source[], depth: number): string {
  const { random } = w
  if (depth > 0 && random.chance(0.35)) {
    const word = random.pick(['and', 'and', 'or'])
    const sides = [condition(w, sources, depth - 1), condition(w, sources, depth - 1)]
    const pair = `(${sides.join(` ${word} `)})`
    return random.chance(0.2) ? `not ${pair}` : pair
  }
  return w.choose([...simple(w, sources), ...nested(w, sources), ...unusual(w, sources)])
}

function simple(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const column = w.column(sources)
  const constant = () => w.constantOf(column.kind)
  return [
    [8, () => `${column.sql} ${random.pick(comparisons)} ${constant()}`],
    [0.5, () => `${constant()} ${random.pick(comparisons)} ${column.sql}`],
    [2, () => `${column.sql} ${not(w)}in (${w.list(1, 4, constant).join(', ')})`],
    [2, () => `${column.sql} ${not(w)}between ${constant()} and ${constant()}`],
    [2, () => `${column.sql} is ${not(w)}null`],
    [2, () => like(w, sources)],
    [
      1,
      () =>
        `${column.sql} ${random.pick(['=', '<', '>=', '<>', 'is', 'is not'])} ${peer(w, sources, column).sql}`,
    ],
    [1, () => `${column.sql} ${random.pick(distinctions)} ${constant()}`],
    [w.has(sources, 'date', 'datetime', 'unix') ? 1.2 : 0.1, () => dateComparison(w, sources)],
  ]
}

function nested(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const column = w.column(sources)
  return [
    [0.7, () => `${not(w)}exists (${correlated(w, sources, () => '1')})`],
    [0.7, () => `${column.sql} ${not(w)}in (${memberSelect(w, column)})`],
    [
      0.3,
      () =>
        `${column.sql} ${not(w)}in (values ${w.list(1, 3, () => `(${w.constantOf(column.kind)})`).join(', ')})`,
    ],
    [0.4, () => `${column.sql} ${random.pick(comparisons)} (${scalarSelect(w, sources, column)})`],
    [
      0.15,
      () =>
        `${column.sql} ${random.pick(['=', '<'])} coalesce((${scalarSelect(w, sources, column)}), ${w.constantOf(column.kind)})`,
    ],
  ]
}

function unusual(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  return [
    [1, () => `${numberOf(w, sources, 1)} ${random.pick(comparisons)} ${numberOf(w, sources, 1)}`],
    [0.8, () => `${textOf(w, sources, 1)} ${random.pick(comparisons)} ${w.word()}`],
    [0.5, () => rowComparison(w, sources)],
    [0.3, () => glob(w, sources)],
    [
      0.2,
      () =>
        `${w.column(sources, 'number').sql} ${random.pick(['is true', 'is not true', 'is false', 'is not false'])}`,
    ],
    [0.2, () => w.column(sources, 'number').sql],
    [
      0.1,
      () => `${w.column(sources, 'text').sql} ${random.pick(['isnull', 'notnull', 'not null'])}`,
    ],
    [0.1, () => inTable(w, sources)],
    [0.1, () => `(${condition(w, sources, 0)}) = ${random.pick(['1', '0', w.parameter(1)])}`],
    [0.1, () => random.pick(['1', '0', 'true', '1 = 1', '1 = 0', 'null'])],
    [w.has(sources, 'json') ? 0.8 : 0, () => documentCondition(w, sources)],
  ]
}

const comparisons = ['=', '=', '<>', '<', '<=', '>', '>=', '!=', '==']
const distinctions = ['is', 'is not', 'is distinct from', 'is not distinct from']

function not(w: QueryWriter): string {
  return w.random.chance(0.3) ? 'not ' : ''
}

function peer(w: QueryWriter, sources: readonly Source[], column: Column): Column {
  return w.column(sources, classOf(column.kind))
}

const likePatterns = ['%a%', 'b%', '_ob', 'AN%', '%ä%', '1%', '%k%', '%', '', '%.%', '%[%', '2024%']

function like(w: QueryWriter, sources: readonly Source[]): string {
  const { random } = w
  const text = random.chance(0.9) ? w.column(sources, 'text').sql : w.column(sources).sql
  const word = random.chance(0.2) ? 'not like' : 'like'
  return w.choose([
    [8, () => `${text} ${word} ${w.constant(random.pick(likePatterns))}`],
    [
      2,
      () => `${text} ${word} '%' || ${w.parameter(random.pick(['a', 'ob', 'K', '%', '_']))} || '%'`,
    ],
    [1, () => `${text} ${word} ${w.constant('%\\_%')} escape '\\'`],
    [0.4, () => `${text} ${word} ${w.constant('100#%%')} escape ${w.constant('#')}`],
    [0.4, () => `${text} ${word} ${w.column(sources, 'text').sql} || '%'`],
    [0.3, () => `lower(${text}) ${word} lower(${w.constant('%AN%')})`],
    [0.1, () => `like(${w.constant('%a%')}, ${text})`],
  ])
}

const globPatterns = [
  '*a*',
  'b*',
  '?ob',
  '[ab]*',
  '[^ab]*',
  '[a-c]*',
  '*[0-9]',
  '*',
  'a\\*',
  '[]a]*',
]

function glob(w: QueryWriter, sources: readonly Source[]): string {
  const pattern = w.constant(w.random.pick(globPatterns))
  return `${w.column(sources, 'text').sql} ${not(w)}glob ${pattern}`
}

function rowComparison(w: QueryWriter, sources: readonly Source[]): string {
  const columns = w.list(2, w.random.chance(0.2) ? 3 : 2, () => '').map(() => w.column(sources))
  const left = `(${columns.map((column) => column.sql).join(', ')})`
  const row = () => `(${columns.map((column) => w.constantOf(column.kind)).join(', ')})`
  const inner = () => {
    const { sql, source: own } = source(w, 1)
    const items = columns.map((column) => peer(w, [own], column).sql)
    return `select ${items.join(', ')} from ${sql}`
  }
  return w.choose([
    [2, () => `${left} ${w.random.pick(['=', '<>', '<', '<=', '>', '>='])} ${row()}`],
    [2, () => `${left} ${not(w)}in (${w.list(1, 3, row).join(', ')})`],
    [1, () => `${left} ${not(w)}in (values ${w.list(1, 3, row).join(', ')})`],
    [1, () => `${left} ${not(w)}in (${inner()})`],
    [0.3, () => `${left} is ${not(w)}${row()}`],
  ])
}

/** `x in t`, for which the table or view has as many columns as there are values. */
function inTable(w: QueryWriter, sources: readonly Source[]): string {
  const narrow = w.tables.filter((table) => table.columns.length <= 3)
  if (narrow.length === 0) {
    return `${w.column(sources).sql} is null`
  }
  const { name, columns } = w.random.pick(narrow)
  const values = columns.map(({ kind }) => w.column(sources, classOf(kind)).sql)
  const left = values.length === 1 ? values[0] : `(${values.join(', ')})`
  return `${left} ${not(w)}in "${name}"`
}

function memberSelect(w: QueryWriter, column: Column): string {
  const inner = source(w, 1)
  const own = w.column([inner.source], classOf(column.kind))
  const limit = w.random.chance(0.08) ? ` order by ${own.sql} limit ${w.constant(3)}` : ''
  return `select ${own.sql} from ${inner.sql}${where(w, [inner.source], 0.4)}${limit}`
}

/** One value: an aggregate, or the first of many rows. */
function scalarSelect(w: QueryWriter, sources: readonly Source[], column: Column): string {
  const { random } = w
  return correlated(
    w,
    sources,
    (inner) => {
      const own = w.column([inner], classOf(column.kind)).sql
      return random.chance(0.7) ? `${random.pick(['max', 'min'])}(${own})` : own
    },
    random.chance(0.5),
  )
}

/** A subquery that mostly belongs to the row outside. */
export function correlated(
  w: QueryWriter,
  outer: readonly Source[],
  item: (inner: Source) => string,
  isFree = false,
): string {
  const { sql, source: own } = source(w, 1)
  const link = isFree
    ? literal(1n)
    : `${w.column([own], 'number').sql} = ${w.column(outer, 'number').sql}`
  const extra = w.random.chance(0.2) ? ` and ${condition(w, [own], 0)}` : ''
  const tail = w.choose([
    [8, () => ''],
    [1, () => ' limit 1'],
    [1, () => ` order by ${w.column([own]).sql}${w.random.pick(['', ' desc'])} limit 1`],
  ])
  return `select ${item(own)} from ${sql} where ${link}${extra}${tail}`
}
