import type { QueryWriter, Source } from './query-writer.js'

const modifiers = [
  'start of month',
  'start of year',
  'start of day',
  '+1 day',
  '-7 days',
  '+1 month',
  '-2 months',
  '+1 year',
  '+90 minutes',
  '-3.5 hours',
  'weekday 0',
  'weekday 1',
]

const formats = [
  '%Y',
  '%m',
  '%Y-%m',
  '%Y-%m',
  '%d',
  '%H',
  '%w',
  '%j',
  '%W',
  '%Y-W%W',
  '%s',
  '%H:%M',
  '%f',
  '%J',
]

/** Text that SQLite takes for a moment, with the modifiers that it needs. */
function moment(w: QueryWriter, sources: readonly Source[]): string {
  const column = w.columnOf(sources, ['date', 'datetime', 'unix'])
  const base = column.kind === 'unix' ? `${column.sql}, 'unixepoch'` : column.sql
  const extra = w.random.weighted({ 0: 5, 1: 3, 2: 1 })
  const more = w.list(Number(extra), Number(extra), () => modifier(w))
  return [base, ...more].join(', ')
}

function modifier(w: QueryWriter): string {
  return w.random.chance(0.85)
    ? `'${w.random.pick(modifiers)}'`
    : w.parameter(w.random.pick(modifiers))
}

/** A moment without a column. The day of today is enough: a second would pass between the engines. */
function now(w: QueryWriter): string {
  return w.choose([
    [2, () => `date('now', ${modifier(w)})`],
    [1, () => "date('now')"],
    [1, () => 'current_date'],
    [1, () => `datetime('now', 'start of day', ${w.parameter('-7 days')})`],
    [2, () => `date(${w.constant('2023-05-31')}, ${modifier(w)})`],
    [0.5, () => `datetime(${w.constant(1_700_000_000)}, 'unixepoch')`],
  ])
}

export function dateText(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [3, () => `date(${moment(w, sources)})`],
    [1, () => `datetime(${moment(w, sources)})`],
    [0.5, () => `time(${moment(w, sources)})`],
    [5, () => `strftime('${w.random.pick(formats)}', ${moment(w, sources)})`],
    [0.3, () => `strftime(${w.parameter('%Y-%m')}, ${moment(w, sources)})`],
    [0.5, () => now(w)],
    [0.1, () => `strftime('%d.%m.%Y %H:%M:%S', ${moment(w, sources)})`],
  ])
}

export function dateNumber(w: QueryWriter, sources: readonly Source[]): string {
  const format = w.random.pick(['%Y', '%m', '%d', '%H', '%w', '%s'])
  return w.choose([
    [2, () => `cast(strftime('${format}', ${moment(w, sources)}) as integer)`],
    [1, () => `julianday(${moment(w, sources)})`],
    [1, () => `julianday(${moment(w, sources)}) - julianday(${moment(w, sources)})`],
    [1, () => `unixepoch(${moment(w, sources)})`],
    [0.3, () => `round(julianday(${now(w)}) - julianday(${moment(w, sources)}))`],
  ])
}

export function dateComparison(w: QueryWriter, sources: readonly Source[]): string {
  const { random } = w
  const column = w.columnOf(sources, ['date', 'datetime'])
  const operator = random.pick(['<', '<=', '>', '>=', '='])
  return w.choose([
    [3, () => `${column.sql} ${operator} ${now(w)}`],
    [2, () => `date(${moment(w, sources)}) ${operator} ${w.constantOf('date')}`],
    [
      2,
      () => `strftime('%Y', ${moment(w, sources)}) = ${w.constant(random.pick(['2022', '2024']))}`,
    ],
    [1, () => `${column.sql} between ${now(w)} and ${now(w)}`],
    [0.5, () => `unixepoch(${moment(w, sources)}) ${operator} ${w.constant(1_680_000_000)}`],
  ])
}
