import { aggregate } from './aggregates.js'
import { condition, where } from './conditions.js'
import type { Column, QueryWriter, Source } from './query-writer.js'
import type { RandomColumn } from './random-schema.js'
import type { ValueKind } from './random-value.js'

export interface From {
  readonly sql: string
  readonly sources: readonly Source[]
}

interface Item {
  readonly sql: string
  readonly source: Source
}

/** What follows FROM: tables, views and derived tables, joined. */
export function from(w: QueryWriter, depth = 0): From {
  const first = source(w, depth)
  const sources = [first.source]
  let { sql } = first
  for (let i = Number(w.random.weighted({ 0: 5, 1: 4, 2: 1.2 })); i > 0; i -= 1) {
    const next = source(w, depth)
    sql += joined(w, sources, next)
    sources.push(next.source)
  }
  return { sql, sources }
}

function joined(w: QueryWriter, left: readonly Source[], next: Item): string {
  const { random } = w
  const kind = random.weighted({
    inner: 5,
    left: 4,
    right: 0.4,
    full: 0.4,
    cross: 0.3,
    comma: 0.3,
    using: 0.3,
    natural: 0.15,
  })
  switch (kind) {
    case 'cross':
      return ` cross join ${next.sql}`
    case 'comma':
      return `, ${next.sql}`
    case 'natural':
      return ` natural ${random.pick(['', 'left '])}join ${next.sql}`
    case 'using': {
      const last = left.at(-1)!
      const shared = last.columns.find((column) => next.source.columns.some(named(column.name)))
      if (shared !== undefined && left.length === 1) {
        return ` ${random.pick(['inner', 'left', 'full'])} join ${next.sql} using ("${shared.name}")`
      }
      return ` join ${next.sql} on ${joinCondition(w, left, next.source)}`
    }
    default:
      return ` ${kind} join ${next.sql} on ${joinCondition(w, left, next.source)}`
  }
}

function named(name: string): (column: Column) => boolean {
  return (column) => column.name === name
}

function joinCondition(w: QueryWriter, left: readonly Source[], next: Source): string {
  const { random } = w
  if (random.chance(0.03)) {
    return condition(w, [...left, next], 1)
  }
  const own = w.column(left, 'number').sql
  const key = random.chance(0.6) ? next.columns[0]!.sql : w.column([next], 'number').sql
  const extra = random.chance(0.15) ? ` and ${condition(w, [...left, next], 0)}` : ''
  return `${own} = ${key}${extra}`
}

/** One item of FROM. */
export function source(w: QueryWriter, depth: number): Item {
  const { random } = w
  if (depth < 1 && random.chance(0.1)) {
    return random.chance(0.12) ? valuesSource(w) : derivedSource(w, depth)
  }
  const alias = w.alias()
  const table = random.pick(w.tables)
  const name = random.chance(0.1) ? `"main"."${table.name}"` : `"${table.name}"`
  const columns = table.columns.map(({ name: column, kind }) => ({
    name: column,
    kind,
    sql: `"${alias}"."${column}"`,
  }))
  return { sql: `${name} as "${alias}"`, source: { alias, columns, rowid: table.rowid } }
}

function derivedSource(w: QueryWriter, depth: number): Item {
  const alias = w.alias()
  const { sql, columns } = derivedSelect(w, depth + 1)
  return { sql: `(${sql}) as "${alias}"`, source: sourceOf(alias, columns) }
}

export function sourceOf(alias: string, columns: readonly RandomColumn[]): Source {
  return {
    alias,
    rowid: false,
    columns: columns.map(({ name, kind }) => ({ name, kind, sql: `"${alias}"."${name}"` })),
  }
}

/** VALUES names its columns `column1`, `column2` ... */
function valuesSource(w: QueryWriter): Item {
  const alias = w.alias()
  const kinds: readonly ValueKind[] = ['int', w.random.pick(['text', 'real', 'date'] as const)]
  const rows = w.list(1, 4, () => `(${kinds.map((kind) => w.constantOf(kind)).join(', ')})`)
  const columns = kinds.map((kind, i) => ({ name: `column${i + 1}`, kind, generated: false }))
  return { sql: `(values ${rows.join(', ')}) as "${alias}"`, source: sourceOf(alias, columns) }
}

/** A SELECT that may stand in FROM or in a view; its columns are `d0`, `d1` ... */
export function derivedSelect(
  w: QueryWriter,
  depth = 1,
): { readonly sql: string; readonly columns: readonly RandomColumn[] } {
  const { random } = w
  const { sql, sources } = from(w, depth)
  const first = w.column(sources, 'number')
  const others = w.list(1, 3, () => '').map(() => w.column(sources))
  const columns: RandomColumn[] = [first, ...others].map(({ kind }, i) => ({
    name: `d${i}`,
    kind,
    generated: false,
  }))
  const items = [first, ...others].map((column, i) => `${column.sql} as "d${i}"`)
  const filter = where(w, sources, 0.4)
  if (random.chance(0.25)) {
    const keys = [first, ...others].map((column) => column.sql).join(', ')
    items.push(`${aggregate(w, sources)} as "d${columns.length}"`)
    columns.push({ name: `d${columns.length}`, kind: 'numeric', generated: false })
    return { sql: `select ${items.join(', ')} from ${sql}${filter} group by ${keys}`, columns }
  }
  const distinct = random.chance(0.08) ? 'distinct ' : ''
  const limit = random.chance(0.08) ? ` order by ${first.sql} limit ${w.constant(5)}` : ''
  const select = `select ${distinct}${items.join(', ')} from ${sql}${filter}${limit}`
  return { sql: select, columns }
}
