import { condition } from './conditions.js'
import { dateNumber } from './dates.js'
import { documentNumber } from './documents.js'
import type { Choices, QueryWriter, Source } from './query-writer.js'
import { oddParameter } from './random-value.js'
import { textOf } from './texts.js'

/** A number computed from columns. */
export function numberOf(w: QueryWriter, sources: readonly Source[], depth: number): string {
  const { random } = w
  if (depth === 0 || random.chance(0.3)) {
    return w.choose([
      [8, () => w.column(sources, 'number').sql],
      [2, () => w.constantOf(random.pick(['int', 'real']))],
      [0.1, () => w.parameter(oddParameter(random))],
      [0.1, () => `(${w.parameter(2)} + 1)`],
    ])
  }
  return w.choose([...usual(w, sources, depth), ...functions(w, sources, depth)])
}

function usual(w: QueryWriter, sources: readonly Source[], depth: number): Choices {
  const { random } = w
  const next = () => numberOf(w, sources, depth - 1)
  return [
    [6, () => `(${next()} ${random.pick(['+', '-', '*', '*', '/', '%'])} ${next()})`],
    [0.2, () => `(${next()} ${random.pick(['&', '|', '<<', '>>'])} ${next()})`],
    [0.1, () => `(~ ${next()})`],
    [
      0.3,
      () =>
        `${next()} ${random.pick(['+', '-', '*'])} ${next()} ${random.pick(['+', '*', '/'])} ${next()}`,
    ],
    [1, () => `(- ${next()})`],
    [
      2,
      () =>
        `case when ${condition(w, sources, 0)} then ${next()} else ${random.chance(0.5) ? '0' : next()} end`,
    ],
    [0.5, () => simpleCase(w, sources)],
    [0.3, () => `case when ${condition(w, sources, 0)} then ${next()} end`],
    [2, () => `coalesce(${next()}, ${random.chance(0.5) ? '0' : next()})`],
    [0.5, () => `ifnull(${next()}, ${w.constant(0)})`],
    [0.5, () => `${random.pick(['iif', 'if'])}(${condition(w, sources, 0)}, ${next()}, ${next()})`],
    [1, () => `nullif(${next()}, ${w.constantOf('int')})`],
    [0.7, () => `(${condition(w, sources, 0)})`],
    [w.has(sources, 'date', 'datetime', 'unix') ? 1 : 0.1, () => dateNumber(w, sources)],
    [w.has(sources, 'json') ? 0.7 : 0, () => documentNumber(w, sources)],
  ]
}

/** A function called with little around it. */
export function numberFunction(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose(functions(w, sources, 1))
}

const oneArgument = ['abs', 'abs', 'sign', 'ceil', 'ceiling', 'floor', 'trunc', 'sqrt', 'exp', 'ln']
const rareArgument = [
  'log10',
  'log2',
  'log',
  'sin',
  'cos',
  'tan',
  'atan',
  'degrees',
  'radians',
  'acosh',
]
const castTargets = ['integer', 'real', 'integer', 'real', 'numeric', 'float', 'decimal(10, 2)']

function functions(w: QueryWriter, sources: readonly Source[], depth: number): Choices {
  const { random } = w
  const next = () => numberOf(w, sources, depth - 1)
  const text = () => textOf(w, sources, 0)
  return [
    [1.2, () => `${random.pick(oneArgument)}(${next()})`],
    [0.2, () => `${random.pick(rareArgument)}(${next()})`],
    [0.3, () => `${random.pick(['pow', 'power', 'mod', 'atan2'])}(${next()}, ${next()})`],
    [0.1, () => `log(${w.constant(2)}, ${next()})`],
    [1, () => `cast(${next()} as ${random.pick(castTargets)})`],
    [0.5, () => `cast(${text()} as ${random.pick(castTargets)})`],
    [0.2, () => `cast(${w.parameter(oddParameter(random))} as ${random.pick(castTargets)})`],
    [1.2, () => `round(${next()}${random.pick(['', ', 0', ', 1', ', 2', ', 2', ', 3', ', 4'])})`],
    [0.1, () => `round(${next()}, ${w.parameter(2)})`],
    [1, () => `${random.pick(['min', 'max'])}(${w.list(2, 3, next).join(', ')})`],
    [0.8, () => `length(${text()})`],
    [0.4, () => `instr(${text()}, ${w.constant(random.pick(['a', 'o', '']))})`],
    [0.1, () => `unicode(${text()})`],
    [0.1, () => `(${text()} + 0)`],
    [0.1, () => `octet_length(${text()})`],
  ]
}

function simpleCase(w: QueryWriter, sources: readonly Source[]): string {
  const column = w.column(sources)
  const branches = w.list(
    1,
    3,
    () => `when ${w.constantOf(column.kind)} then ${w.constantOf('int')}`,
  )
  const otherwise = w.random.chance(0.7) ? ` else ${w.constantOf('int')}` : ''
  return `case ${column.sql} ${branches.join(' ')}${otherwise} end`
}
