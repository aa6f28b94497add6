import { condition } from './conditions.js'
import { numberOf } from './numbers.js'
import type { Choices, QueryWriter, Source } from './query-writer.js'

export interface WindowedCalls {
  readonly calls: readonly string[]
  /** The WINDOW clause, or nothing. */
  readonly clause: string
}

/** One or two window functions, sometimes over a named window. */
export function windowCalls(w: QueryWriter, sources: readonly Source[]): WindowedCalls {
  const count = w.random.chance(0.25) ? 2 : 1
  if (w.random.chance(0.12)) {
    const base = [partition(w, sources), order(w, sources)].filter((part) => part !== '')
    const over = () => (w.random.chance(0.7) ? '"w1"' : `("w1" ${frame(w, base.length > 1)})`)
    const calls = w.list(count, count, () => `${call(w, sources)} over ${over()}`)
    return { calls, clause: ` window "w1" as (${base.join(' ')})` }
  }
  return { calls: w.list(count, count, () => windowCall(w, sources)), clause: '' }
}

export function windowCall(w: QueryWriter, sources: readonly Source[]): string {
  const parts = [w.random.chance(0.6) ? partition(w, sources) : '']
  if (w.random.chance(0.85)) {
    parts.push(w.random.chance(0.08) ? rangeByNumber(w, sources) : ordered(w, sources))
  }
  return `${call(w, sources)} over (${parts.filter((part) => part !== '').join(' ')})`
}

function partition(w: QueryWriter, sources: readonly Source[]): string {
  return `partition by ${w.list(1, w.random.chance(0.1) ? 2 : 1, () => w.column(sources).sql).join(', ')}`
}

function order(w: QueryWriter, sources: readonly Source[]): string {
  const term = () =>
    `${w.column(sources).sql}${w.random.pick(['', '', ' desc'])}${w.random.chance(0.05) ? w.random.pick([' nulls first', ' nulls last']) : ''}`
  return `order by ${w.list(1, 2, term).join(', ')}`
}

function ordered(w: QueryWriter, sources: readonly Source[]): string {
  return `${order(w, sources)}${w.random.chance(0.4) ? ` ${frame(w, true)}` : ''}`
}

/** RANGE with a distance: one number to order by. */
function rangeByNumber(w: QueryWriter, sources: readonly Source[]): string {
  const by = w.columnOf(sources, ['int', 'real', 'unix', 'numeric']).sql
  const distance = w.random.pick(['1', '2', '0.5', w.parameter(2)])
  return `order by ${by}${w.random.pick(['', ' desc'])} range between ${distance} preceding and ${w.random.pick(['current row', '1 following'])}`
}

const frames = [
  'between unbounded preceding and current row',
  'between unbounded preceding and current row',
  'between unbounded preceding and unbounded following',
  'between current row and unbounded following',
  'unbounded preceding',
]

const countedFrames = [
  ...frames,
  'between 2 preceding and current row',
  'between 1 preceding and 1 following',
  'between 6 preceding and current row',
  'between 1 following and 3 following',
  'between 3 preceding and 1 preceding',
  'between current row and 1 following',
  '2 preceding',
]

function frame(w: QueryWriter, hasOrder: boolean): string {
  const { random } = w
  const unit = random.weighted({ rows: 5, range: 2, groups: hasOrder ? 1 : 0 })
  const bounds = random.pick(unit === 'range' ? frames : countedFrames)
  const excluded = random.chance(0.08)
    ? ` exclude ${random.pick(['no others', 'current row', 'group', 'ties'])}`
    : ''
  return `${unit} ${bounds}${excluded}`
}

function call(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([...ranking(w, sources), ...aggregated(w, sources)])
}

function ranking(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const column = () => w.column(sources).sql
  const shift = () => random.pick(['lag', 'lead'])
  return [
    [3, () => 'row_number()'],
    [2, () => random.pick(['rank()', 'dense_rank()'])],
    [0.7, () => random.pick(['percent_rank()', 'cume_dist()'])],
    [0.7, () => `ntile(${random.chance(0.8) ? '3' : w.parameter(4n)})`],
    [1.2, () => `${shift()}(${column()})`],
    [0.7, () => `${shift()}(${column()}, ${random.pick(['1', '2', '0'])})`],
    [0.7, () => `${shift()}(${w.column(sources, 'number').sql}, 1, ${w.constant(0)})`],
    [0.3, () => `${shift()}(${column()}, ${random.pick(['1', '2'])}, ${column()})`],
    [0.2, () => `${shift()}(${w.column(sources, 'text').sql}, 1, ${w.constantOf('text')})`],
    [1, () => `${random.pick(['first_value', 'last_value'])}(${column()})`],
    [0.5, () => `nth_value(${column()}, ${random.pick(['1', '2', '3'])})`],
  ]
}

function aggregated(w: QueryWriter, sources: readonly Source[]): Choices {
  const { random } = w
  const number = () => w.column(sources, 'number').sql
  const filter = () => (random.chance(0.08) ? ` filter (where ${condition(w, sources, 0)})` : '')
  return [
    [3, () => `sum(${number()})${filter()}`],
    [1.5, () => `avg(${number()})${filter()}`],
    [1, () => `count(${random.pick(['*', number()])})${filter()}`],
    [1.5, () => `${random.pick(['min', 'max'])}(${w.column(sources).sql})${filter()}`],
    [0.3, () => `total(${number()})`],
    [0.4, () => `sum(${numberOf(w, sources, 1)})`],
    [0.2, () => `group_concat(${w.column(sources, 'text').sql}, ',')`],
    [0.1, () => `json_group_array(${number()})`],
  ]
}
