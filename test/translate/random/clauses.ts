import { aggregate } from './aggregates.js'
import { correlated } from './conditions.js'
import { numberOf } from './numbers.js'
import type { QueryWriter, Source } from './query-writer.js'
import { textOf } from './texts.js'

/** Any value for the select list. */
export function selectItem(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [6, () => w.column(sources).sql],
    [3, () => numberOf(w, sources, 2)],
    [2.5, () => textOf(w, sources, 1)],
    [0.5, () => `(${correlated(w, sources, (inner) => aggregate(w, [inner]))})`],
    [0.25, () => `(${correlated(w, sources, (inner) => w.column([inner]).sql)})`],
    [0.15, () => rowid(w, sources)],
    [0.15, () => w.constantOf(w.random.pick(['int', 'real', 'text']))],
  ])
}

function rowid(w: QueryWriter, sources: readonly Source[]): string {
  const found = sources.find((source) => source.rowid)
  return found === undefined
    ? w.column(sources).sql
    : `"${found.alias}".${w.random.pick(['rowid', '_rowid_', 'oid'])}`
}

/** The items of the select list, named `r0`, `r1` ... */
export function items(values: readonly string[]): string {
  return values.map((value, i) => `${value} as "r${i}"`).join(', ')
}

/** ORDER BY some of these values, or the result's columns by alias or number. */
export function order(
  w: QueryWriter,
  values: readonly string[],
  columnCount: number,
  share: number,
): string {
  const { random } = w
  if (!random.chance(share)) {
    return ''
  }
  const terms = w.list(1, 3, () => {
    const at = random.integer(0, columnCount - 1)
    const sql = w.choose([
      [3, () => `"r${at}"`],
      [4, () => random.pick(values)],
      [1, () => String(at + 1)],
    ])
    const nulls = random.chance(0.1) ? random.pick([' nulls first', ' nulls last']) : ''
    return `${sql}${random.pick(['', '', ' asc', ' desc', ' desc'])}${nulls}`
  })
  return ` order by ${terms.join(', ')}`
}

export function limit(w: QueryWriter, share: number): string {
  const { random } = w
  if (!random.chance(share)) {
    return ''
  }
  const count = random.chance(0.05) ? random.pick([-1, 0]) : random.integer(1, 10)
  const skipped = random.integer(0, 3)
  return w.choose([
    [7, () => ` limit ${w.constant(count)}`],
    [3, () => ` limit ${w.constant(count)} offset ${w.constant(skipped)}`],
    [0.5, () => ` limit -1 offset ${w.constant(skipped)}`],
    [0.2, () => ` limit ${skipped}, ${count}`],
    [0.1, () => ` limit ${w.parameter(2)} + 1`],
  ])
}
