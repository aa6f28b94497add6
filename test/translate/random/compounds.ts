import { aggregate } from './aggregates.js'
import { items, limit } from './clauses.js'
import { where } from './conditions.js'
import type { QueryWriter } from './query-writer.js'
import { classOf } from './random-value.js'
import { derivedSelect, from, source, sourceOf } from './sources.js'

const operators = ['union', 'union all', 'union all', 'intersect', 'except']

/** Two to four arms of columns of the same classes. */
export function compoundSelect(w: QueryWriter): string {
  const { random } = w
  const shape = Array.from({ length: random.integer(1, 2) }, () =>
    random.pick(['number', 'text', 'number'] as const),
  )
  const arm = () => {
    const { sql, sources } = from(w, 1)
    const values = shape.map((wanted) => w.column(sources, wanted).sql)
    return `select ${items(values)} from ${sql}${where(w, sources, 0.4)}`
  }
  const nested = () =>
    random.chance(0.06) ? `select * from (${arm()} order by 1 limit ${w.constant(3)})` : arm()
  const rest = w.list(1, random.chance(0.3) ? 3 : 1, () => `${random.pick(operators)} ${nested()}`)
  const by = random.chance(0.6)
    ? ` order by ${random.pick(['1', '1 desc', String(shape.length)])}`
    : ''
  // SQLite takes no ORDER BY after VALUES, so they come first.
  const row = () =>
    `(${shape.map((wanted) => w.constantOf(wanted === 'text' ? 'text' : 'int')).join(', ')})`
  const first = random.chance(0.05) ? `values ${w.list(1, 3, row).join(', ')}` : arm()
  const sql = `${first} ${rest.join(' ')}${by}${limit(w, 0.3)}`
  return random.chance(0.15) ? `select count(*) as "r0" from (${sql}) as "u"` : sql
}

/** WITH, its table read once, joined, or read twice. */
export function commonTableSelect(w: QueryWriter): string {
  const { random } = w
  const { sql, sources } = from(w, 1)
  const key = w.column(sources)
  const cte = `select ${key.sql} as "k", ${aggregate(w, sources)} as "v", count(*) as "n" from ${sql}${where(w, sources, 0.3)} group by ${key.sql}`
  const materialized = random.chance(0.1) ? random.pick(['materialized ', 'not materialized ']) : ''
  const head = `with "s" as ${materialized}(${cte})`
  return w.choose([
    [
      5,
      () => {
        const filter = random.chance(0.5) ? ` where "s"."n" > ${w.parameter(1)}` : ''
        const by = random.pick(['"s"."k"', '"s"."v" desc, "s"."k"', '"r1"', '"s"."n", 1'])
        return `${head} select "s"."k" as "r0", "s"."v" as "r1" from "s"${filter} order by ${by}${limit(w, 0.3)}`
      },
    ],
    [
      3,
      () => {
        const other = source(w, 1)
        const match = w.column([other.source], classOf(key.kind)).sql
        const by = random.pick([match, other.source.columns[0]!.sql])
        return `${head} select "${other.source.alias}".*, "s"."v" as "r0" from ${other.sql} ${random.pick(['inner', 'left'])} join "s" on "s"."k" = ${match} order by ${by}`
      },
    ],
    [
      1,
      () =>
        `${head} select "a"."k" as "r0", "b"."n" as "r1" from "s" as "a" join "s" as "b" on "a"."n" = "b"."n" order by 1, 2`,
    ],
    [1, () => secondTable(w, head)],
  ])
}

function secondTable(w: QueryWriter, head: string): string {
  const { sql, columns } = derivedSelect(w)
  const second = sourceOf('t', columns)
  const column = w.column([second], 'number').sql
  return `${head}, "t" as (${sql}) select ${column} as "r0", (select max("n") from "s") as "r1" from "t"${where(w, [second], 0.3)} order by 1`
}

/** A recursion that surely ends. */
export function recursiveSelect(w: QueryWriter): string {
  const { random } = w
  const end = w.constant(random.integer(3, 12))
  const union = random.pick(['union all', 'union all', 'union'])
  const numbers = `with recursive "n"("x") as (select 1 ${union} select "x" + 1 from "n" where "x" < ${end})`
  const other = source(w, 1)
  const number = w.column([other.source], 'number').sql
  return w.choose([
    [
      2,
      () =>
        `${numbers} select "n"."x" as "r0", count(${number}) as "r1" from "n" left join ${other.sql} on ${number} = "n"."x" group by "n"."x" order by 1`,
    ],
    [
      2,
      () => {
        const [first] = w.tables.filter((table) => table.rowid)
        const table = first ?? w.tables[0]!
        const link =
          table.columns.find(({ kind, name }) => kind === 'int' && name !== 'id')?.name ?? 'id'
        return `with recursive "tree"("id", "depth") as (select "id", 0 from "${table.name}" where "id" < ${w.constant(4)} ${union} select "c"."id", "tree"."depth" + 1 from "${table.name}" as "c" join "tree" on "c"."${link}" = "tree"."id" where "tree"."depth" < 3) select "id" as "r0", "depth" as "r1" from "tree" order by 1, 2`
      },
    ],
    [
      1,
      () =>
        `with recursive "d"("day") as (select '2024-01-28' union all select date("day", '+1 day') from "d" where "day" < '2024-02-03') select "d"."day" as "r0", count(${number}) as "r1" from "d" left join ${other.sql} on ${w.column([other.source], 'text').sql} = "d"."day" group by "d"."day"`,
    ],
    [0.5, () => `${numbers} select "x" as "r0" from "n" limit ${w.constant(4)}`],
  ])
}

export function valuesSelect(w: QueryWriter): string {
  const row = () => `(${w.constantOf('int')}, ${w.constantOf('text')})`
  return `values ${w.list(1, 4, row).join(', ')}`
}
