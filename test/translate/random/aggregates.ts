import { condition } from './conditions.js'
import { builtDocument } from './documents.js'
import { numberOf } from './numbers.js'
import type { Choices, QueryWriter, Source } from './query-writer.js'
import { textOf } from './texts.js'

/** An aggregate that gives a number or the value of a column. */
export function aggregate(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose(plain(w, sources))
}

/** Any aggregate, those that put texts or JSON together included. */
export function anyAggregate(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([...plain(w, sources), ...gathering(w, sources)])
}

function filter(w: QueryWriter, sources: readonly Source[]): string {
  return w.random.chance(0.1) ? ` filter (where ${condition(w, sources, 0)})` : ''
}

function plain(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const number = () => w.column(sources, 'number').sql
  const called = (name: string, operand: string) => `${name}(${operand})${filter(w, sources)}`
  return [
    [3, () => called('count', '*')],
    [2, () => called('count', w.column(sources).sql)],
    [1, () => called(random.pick(['count', 'count', 'sum', 'avg', 'max']), `distinct ${number()}`)],
    [0.5, () => called('count', `distinct ${w.column(sources, 'text').sql}`)],
    [4, () => called('sum', number())],
    [3, () => called('avg', number())],
    [3, () => called(random.pick(['min', 'max']), w.column(sources).sql)],
    [0.5, () => called('total', number())],
    [2, () => called(random.pick(['sum', 'avg', 'max', 'min', 'count']), numberOf(w, sources, 2))],
    [0.7, () => called(random.pick(['max', 'min', 'count']), textOf(w, sources, 1))],
    [0.7, () => `sum(case when ${condition(w, sources, 1)} then 1 else 0 end)`],
    [0.2, () => `coalesce(${called('sum', number())}, 0)`],
    [
      1,
      () =>
        `round(${called(random.pick(['avg', 'sum', 'sum', 'total']), number())}, ${random.integer(0, 4)})`,
    ],
    [0.05, () => called('median', number())],
  ]
}

function gathering(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const text = () => (random.chance(0.7) ? w.column(sources, 'text').sql : w.column(sources).sql)
  const order = (share: number) =>
    random.chance(share) ? ` order by ${w.column(sources).sql}${random.pick(['', ' desc'])}` : ''
  const end = () => filter(w, sources)
  return [
    [0.7, () => `group_concat(${text()}${order(0.3)})${end()}`],
    [
      0.7,
      () =>
        `group_concat(${text()}, ${w.constant(random.pick([', ', '', '; ']))}${order(0.4)})${end()}`,
    ],
    [0.2, () => `string_agg(${text()}, ${w.constant('|')}${order(0.5)})${end()}`],
    [0.3, () => `group_concat(distinct ${text()})${end()}`],
    [0.4, () => `json_group_array(${w.column(sources).sql}${order(0.4)})${end()}`],
    [0.2, () => `json_group_array(${builtDocument(w, sources)}${order(0.4)})`],
    [0.2, () => `json_group_object(${w.column(sources, 'text').sql}, ${w.column(sources).sql})`],
  ]
}
