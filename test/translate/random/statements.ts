import { aggregate, anyAggregate } from './aggregates.js'
import { items, limit, order, selectItem } from './clauses.js'
import { condition, where } from './conditions.js'
import { dateNumber, dateText } from './dates.js'
import { numberFunction, numberOf } from './numbers.js'
import type { QueryWriter, Source } from './query-writer.js'
import { from, source } from './sources.js'
import { textFunction, textOf } from './texts.js'
import { windowCalls } from './windows.js'

/** Rows as they are, sometimes all columns of a table. */
export function plainSelect(w: QueryWriter): string {
  const { random } = w
  const { sql, sources } = from(w)
  const sortable = sources.flatMap((source) => source.columns.map((column) => column.sql))
  if (random.chance(0.2)) {
    const by = random.chance(0.5)
      ? ` order by ${random.pick(sortable)}${random.pick(['', ' desc'])}`
      : ''
    const star = random.chance(0.3) ? '*' : `"${sources[0]!.alias}".*`
    return `select ${star} from ${sql}${where(w, sources)}${by}${limit(w, 0.4)}`
  }
  const values = w.list(1, 4, () => selectItem(w, sources))
  if (random.chance(0.15)) {
    sortable.push(numberOf(w, sources, 1), textOf(w, sources, 1))
  }
  const tail = `${order(w, sortable, values.length, 0.6)}${limit(w, 0.4)}`
  return `select ${items(values)} from ${sql}${where(w, sources)}${tail}`
}

/** Functions of one table's columns: each rule meets every sort of value. */
export function computedSelect(w: QueryWriter): string {
  const first = source(w, 1)
  const sources = [first.source]
  const values = w.list(1, 3, () =>
    w.choose([
      [4, () => numberFunction(w, sources)],
      [4, () => textFunction(w, sources)],
      [1, () => numberOf(w, sources, 1)],
      [1, () => textOf(w, sources, 1)],
      [1, () => dateText(w, sources)],
      [1, () => dateNumber(w, sources)],
      [1, () => condition(w, sources, 0)],
    ]),
  )
  const by = w.random.chance(0.3) ? ` order by ${first.source.columns[0]!.sql}` : ''
  return `select ${items(values)} from ${first.sql}${where(w, sources, 0.1)}${by}`
}

export function distinctSelect(w: QueryWriter): string {
  const { sql, sources } = from(w)
  const values = w.list(1, 3, () => selectItem(w, sources))
  const tail = `${order(w, values, values.length, 0.6)}${limit(w, 0.4)}`
  return `select distinct ${items(values)} from ${sql}${where(w, sources)}${tail}`
}

export function groupedSelect(w: QueryWriter): string {
  const { random } = w
  const { sql, sources } = from(w)
  const keys = w.list(0, 2, () => groupKey(w, sources))
  if (random.chance(0.05)) {
    return rowOfExtreme(w, sources, sql, keys)
  }
  const values = [...keys, ...w.list(1, 3, () => anyAggregate(w, sources))]
  if (random.chance(0.2)) {
    values.push(`${aggregate(w, sources)} * 1.0 / count(*)`)
  }
  if (random.chance(0.06)) {
    values.push(w.column(sources).sql)
  }
  const group = keys.map((key, i) =>
    w.choose([
      [7, () => key],
      [2, () => `"r${i}"`],
      [1, () => String(i + 1)],
    ]),
  )
  const grouping = keys.length === 0 ? '' : ` group by ${group.join(', ')}`
  const having =
    keys.length > 0 || random.chance(0.05) ? havingClause(w, sources, keys.length, values) : ''
  const tail = `${order(w, values, values.length, keys.length === 0 ? 0.1 : 0.6)}${limit(w, 0.3)}`
  return `select ${items(values)} from ${sql}${where(w, sources)}${grouping}${having}${tail}`
}

/** Columns beside one max or min come from the row that has it; beside two, from either. */
function rowOfExtreme(
  w: QueryWriter,
  sources: readonly Source[],
  sql: string,
  keys: readonly string[],
): string {
  const { random } = w
  const extreme = () => `${random.pick(['max', 'min'])}(${w.column(sources).sql})`
  const values = [
    ...keys,
    ...w.list(1, 2, () => w.column(sources).sql),
    ...w.list(1, random.chance(0.2) ? 2 : 1, extreme),
    ...(random.chance(0.3) ? ['count(*)'] : []),
  ]
  const grouping = keys.length === 0 ? '' : ` group by ${keys.join(', ')}`
  const tail = `${order(w, values, values.length, 0.5)}${limit(w, 0.2)}`
  return `select ${items(values)} from ${sql}${where(w, sources)}${grouping}${tail}`
}

function groupKey(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [8, () => w.column(sources).sql],
    [0.8, () => numberOf(w, sources, 1)],
    [1, () => textOf(w, sources, 1)],
  ])
}

function havingClause(
  w: QueryWriter,
  sources: readonly Source[],
  keyCount: number,
  values: readonly string[],
): string {
  const { random } = w
  if (!random.chance(0.3)) {
    return ''
  }
  const operator = random.pick(['>', '>=', '<>', '<'])
  const value =
    random.chance(0.3) && keyCount < values.length ? `"r${keyCount}"` : aggregate(w, sources)
  return ` having ${value} ${operator} ${w.constantOf('int')}`
}

export function windowedSelect(w: QueryWriter): string {
  const { random } = w
  const { sql, sources } = from(w)
  const plain = w.list(1, 3, () => w.column(sources).sql)
  const { calls, clause } = windowCalls(w, sources)
  const values = [...plain, ...calls]
  const select = `select ${items(values)} from ${sql}${where(w, sources, 0.3)}${clause}`
  if (random.chance(0.2)) {
    const outer = values.map((_, i) => `"w"."r${i}"`)
    const filter = `"w"."r${plain.length}" <= ${w.parameter(2)}`
    return `select * from (${select}) as "w" where ${filter} order by ${outer.join(', ')}`
  }
  if (random.chance(0.08)) {
    return windowOverGroups(w, sources, sql)
  }
  return `${select}${order(w, plain, values.length, 0.5)}${limit(w, 0.3)}`
}

/** A window over aggregates: a share of the whole, a rank of groups. */
function windowOverGroups(w: QueryWriter, sources: readonly Source[], sql: string): string {
  const key = w.column(sources).sql
  const value = aggregate(w, sources)
  const call = w.random.pick([
    `rank() over (order by ${value} desc)`,
    `sum(${value}) over (order by ${key})`,
    `row_number() over (order by ${value}, ${key})`,
  ])
  return `select ${items([key, value, call])} from ${sql}${where(w, sources, 0.3)} group by ${key}${order(w, [key, value], 3, 0.6)}`
}
