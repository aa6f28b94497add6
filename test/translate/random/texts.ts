import { condition } from './conditions.js'
import { dateText } from './dates.js'
import { documentText } from './documents.js'
import type { Choices, QueryWriter, Source } from './query-writer.js'
import { oddParameter } from './random-value.js'

/** A text computed from columns. */
export function textOf(w: QueryWriter, sources: readonly Source[], depth: number): string {
  if (depth === 0) {
    return w.column(sources, 'text').sql
  }
  return w.choose([...usual(w, sources, depth), ...functions(w, sources)])
}

/** A function called with little around it. */
export function textFunction(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([...functions(w, sources), [2, () => substring(w, textOf(w, sources, 0))]])
}

function usual(w: QueryWriter, sources: readonly Source[], depth: number): Choices {
  const { random } = w
  const column = () => w.column(sources, 'text').sql
  const next = () => textOf(w, sources, depth - 1)
  return [
    [3, () => `${random.pick(['lower', 'upper'])}(${next()})`],
    [2, () => `${next()} || ${w.constant('-')}`],
    [
      1.5,
      () =>
        `${next()} || ${w.constant(' ')} || ${random.chance(0.7) ? next() : w.column(sources).sql}`,
    ],
    [2, () => substring(w, next())],
    [2, () => `coalesce(${next()}, ${w.word()})`],
    [0.7, () => `case when ${condition(w, sources, 0)} then ${next()} else ${w.word()} end`],
    [0.4, () => `iif(${condition(w, sources, 0)}, ${w.word()}, ${next()})`],
    [0.5, () => `nullif(${column()}, ${w.word()})`],
    [0.3, () => `${random.pick(['min', 'max'])}(${next()}, ${next()})`],
    [w.has(sources, 'date', 'datetime', 'unix') ? 1.5 : 0.1, () => dateText(w, sources)],
    [w.has(sources, 'json') ? 1 : 0, () => documentText(w, sources)],
  ]
}

function functions(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const column = () => w.column(sources, 'text').sql
  const number = () => w.column(sources, 'number').sql
  const trims = ['trim', 'ltrim', 'rtrim']
  return [
    [1, () => `${random.pick(trims)}(${column()})`],
    [
      0.5,
      () => `${random.pick(trims)}(${column()}, ${w.constant(random.pick(['a', ' x', 'nb', '']))})`,
    ],
    [1, () => `cast(${number()} as text)`],
    [0.3, () => `cast(${number()} as varchar(5))`],
    [0.1, () => `cast(${w.column(sources).sql} as ${random.pick(['blob', 'text', 'char(3)'])})`],
    [0.2, () => `cast(${w.parameter(oddParameter(random))} as text)`],
    [0.1, () => `${column()} || cast(${w.parameter(random.integer(0, 9))} as text)`],
    [0.4, () => `'#' || ${number()}`],
    [
      0.8,
      () =>
        `replace(${column()}, ${w.constant(random.pick(['a', 'o', 'nn', '']))}, ${w.constant(random.pick(['bb', '', 'ä']))})`,
    ],
    [0.3, () => `hex(${random.chance(0.7) ? column() : w.column(sources).sql})`],
    [0.2, () => `printf('%d', ${number()})`],
    [0.2, () => `format('%.2f', ${number()})`],
    [0.1, () => `typeof(${w.column(sources).sql})`],
    [0.1, () => `quote(${w.column(sources).sql})`],
    [0.2, () => `concat(${column()}, ${w.constant('/')}, ${w.column(sources).sql})`],
    [0.2, () => `concat_ws(${w.constant(', ')}, ${column()}, ${column()})`],
    [0.1, () => `char(${w.constant(65n)}, ${w.constant(66n)})`],
  ]
}

function substring(w: QueryWriter, text: string): string {
  const { random } = w
  const name = random.pick(['substr', 'substr', 'substring'])
  const start = random.chance(0.6) ? random.integer(1, 3) : random.integer(-3, 0)
  const length = random.chance(0.8) ? random.integer(0, 4) : random.integer(-3, -1)
  const first = w.random.chance(0.8) ? String(start) : w.parameter(start)
  const second = w.random.chance(0.8) ? String(length) : w.parameter(length)
  return `${name}(${text}, ${first}${random.chance(0.6) ? `, ${second}` : ''})`
}
