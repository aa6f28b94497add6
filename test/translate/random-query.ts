import type { Random } from './random.js'
import { type RandomTable, randomValue, type ValueKind, words } from './random-schema.js'

export interface RandomQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

interface Column {
  readonly sql: string
  readonly name: string
  readonly kind: ValueKind
}

interface Source {
  readonly alias: string
  readonly columns: readonly Column[]
}

type Class = 'number' | 'text' | 'blob'

const classOf: Readonly<Record<ValueKind, Class>> = {
  int: 'number',
  huge: 'number',
  real: 'number',
  numeric: 'number',
  bool: 'number',
  any: 'number',
  text: 'text',
  date: 'text',
  blob: 'blob',
}

/** Builds SELECTs of the sort that query builders write, over the tables of a random schema. */
export class QueryMaker {
  readonly #random: Random
  readonly #tables: readonly RandomTable[]
  #parameters: unknown[] = []
  #aliases = 0

  constructor(random: Random, tables: readonly RandomTable[]) {
    this.#random = random
    this.#tables = tables
  }

  make(): RandomQuery {
    this.#parameters = []
    this.#aliases = 0
    const sql = this.#statement()
    // Parameters are collected in the order in which the text was made, marked by position.
    const ordered: unknown[] = []
    const text = sql.replace(/\?(\d+)\?/g, (_, index: string) => {
      ordered.push(this.#parameters[Number(index)])
      return '?'
    })
    return { sql: text, parameters: ordered }
  }

  #statement(): string {
    const random = this.#random
    switch (
      random.weighted({ plain: 4, group: 5, window: 3, compound: 1.5, cte: 1.5, distinct: 1.5 })
    ) {
      case 'plain':
        return this.#plain()
      case 'group':
        return this.#grouped()
      case 'window':
        return this.#windowed()
      case 'compound':
        return this.#compound()
      case 'cte':
        return this.#common()
      case 'distinct':
        return this.#plain('distinct ')
    }
  }

  #parameter(value: unknown): string {
    this.#parameters.push(value)
    return `?${this.#parameters.length - 1}?`
  }

  #from(depth = 0): { readonly sql: string; readonly sources: readonly Source[] } {
    const random = this.#random
    const first = this.#source(depth)
    let sql = first.sql
    const sources = [first.source]
    const joins = random.weighted({ none: 5, one: 4, two: 1.5 })
    for (let i = { none: 0, one: 1, two: 2 }[joins]; i > 0; i -= 1) {
      const next = this.#source(depth)
      const type = random.weighted({
        inner: 5,
        left: 4,
        right: 0.4,
        full: 0.4,
        cross: 0.5,
        comma: 0.3,
      })
      if (type === 'cross' || type === 'comma') {
        sql += `${type === 'cross' ? ' cross join ' : ', '}${next.sql}`
        sources.push(next.source)
        continue
      }
      const left = this.#column(sources, 'number')
      const right = this.#column([next.source], 'number')
      const key = random.chance(0.6) ? next.source.columns[0]! : right
      const extra = random.chance(0.15)
        ? ` and ${this.#condition([...sources, next.source], 0)}`
        : ''
      sources.push(next.source)
      sql += ` ${type} join ${next.sql} on ${left.sql} = ${key.sql}${extra}`
    }
    return { sql, sources }
  }

  #source(depth: number): { readonly sql: string; readonly source: Source } {
    const random = this.#random
    this.#aliases += 1
    const alias = `x${this.#aliases}`
    if (depth < 1 && random.chance(0.1)) {
      const { sql, sources } = this.#from(depth + 1)
      const columns = sources.flatMap((source) => source.columns).slice(0, 4)
      const items = columns.map((column, i) => `${column.sql} as "d${i}"`).join(', ')
      const where = random.chance(0.4) ? ` where ${this.#condition(sources, 0)}` : ''
      const source = {
        alias,
        columns: columns.map((column, i) => ({
          ...column,
          sql: `"${alias}"."d${i}"`,
          name: `d${i}`,
        })),
      }
      return { sql: `(select ${items} from ${sql}${where}) as "${alias}"`, source }
    }
    const table = random.pick(this.#tables)
    const name = random.chance(0.1) ? `"main"."${table.name}"` : `"${table.name}"`
    const columns = table.columns.map((column) => ({
      ...column,
      sql: `"${alias}"."${column.name}"`,
    }))
    return { sql: `${name} as "${alias}"`, source: { alias, columns } }
  }

  #column(sources: readonly Source[], wanted?: Class): Column {
    const all = sources.flatMap((source) => source.columns)
    const fitting = all.filter((column) => wanted === undefined || classOf[column.kind] === wanted)
    return this.#random.pick(fitting.length > 0 ? fitting : all)
  }

  #where(sources: readonly Source[], share = 0.5): string {
    return this.#random.chance(share) ? ` where ${this.#condition(sources, 2)}` : ''
  }

  #condition(sources: readonly Source[], depth: number): string {
    const random = this.#random
    if (depth > 0 && random.chance(0.35)) {
      const word = random.pick(['and', 'and', 'or'])
      const left = this.#condition(sources, depth - 1)
      const right = this.#condition(sources, depth - 1)
      return random.chance(0.2) ? `not (${left} ${word} ${right})` : `(${left} ${word} ${right})`
    }
    const column = this.#column(sources)
    switch (
      random.weighted({
        compare: 8,
        in: 2,
        between: 2,
        null: 2,
        like: 2,
        columns: 1,
        is: 1,
        exists: 0.7,
        inSelect: 0.7,
        expression: 1,
      })
    ) {
      case 'compare':
        return `${column.sql} ${random.pick(['=', '<>', '<', '<=', '>', '>=', '!='])} ${this.#constant(column.kind)}`
      case 'in': {
        const items = Array.from({ length: random.integer(1, 4) }, () =>
          this.#constant(column.kind),
        )
        return `${column.sql} ${random.chance(0.3) ? 'not in' : 'in'} (${items.join(', ')})`
      }
      case 'between':
        return `${column.sql} between ${this.#constant(column.kind)} and ${this.#constant(column.kind)}`
      case 'null':
        return `${column.sql} is ${random.chance(0.5) ? 'not ' : ''}null`
      case 'like': {
        const text = this.#column(sources, 'text')
        const pattern = random.pick([
          '%a%',
          'b%',
          '_ob',
          'AN%',
          '%ä%',
          '1%',
          '%k%',
          '%',
          '100\\%',
          '%.%',
        ])
        const constant = random.chance(0.5) ? this.#parameter(pattern) : `'${pattern}'`
        return `${text.sql} ${random.chance(0.2) ? 'not like' : 'like'} ${constant}`
      }
      case 'columns': {
        const other = this.#column(sources, classOf[column.kind])
        return `${column.sql} ${random.pick(['=', '<', '>=', '<>', 'is', 'is not'])} ${other.sql}`
      }
      case 'is':
        return `${column.sql} ${random.pick(['is', 'is not', 'is not distinct from'])} ${this.#constant(column.kind)}`
      case 'exists': {
        const inner = this.#source(1)
        const outer = this.#column(sources, 'number')
        const own = this.#column([inner.source], 'number')
        return `exists (select 1 from ${inner.sql} where ${own.sql} = ${outer.sql})`
      }
      case 'inSelect': {
        const inner = this.#source(1)
        const own = this.#column([inner.source], classOf[column.kind])
        const where = random.chance(0.5) ? ` where ${this.#condition([inner.source], 0)}` : ''
        return `${column.sql} ${random.chance(0.3) ? 'not in' : 'in'} (select ${own.sql} from ${inner.sql}${where})`
      }
      case 'expression':
        return `${this.#number(sources, 1)} ${random.pick(['<', '>', '=', '>='])} ${this.#number(sources, 1)}`
    }
  }

  #constant(kind: ValueKind): string {
    const random = this.#random
    const value = randomValue(kind, random)
    if (random.chance(0.03)) {
      return this.#parameter(null)
    }
    if (typeof value === 'bigint') {
      if (random.chance(0.3)) {
        return String(value)
      }
      return this.#parameter(random.chance(0.1) ? value : Number(value))
    }
    if (typeof value === 'number') {
      return random.chance(0.3) && !Object.is(value, -0)
        ? String(Math.round(value * 100) / 100)
        : this.#parameter(random.chance(0.2) ? Math.round(value) : value)
    }
    if (typeof value === 'string') {
      return random.chance(0.3) ? `'${value.replaceAll("'", "''")}'` : this.#parameter(value)
    }
    return this.#parameter(value)
  }

  #number(sources: readonly Source[], depth: number): string {
    const random = this.#random
    const column = () => this.#column(sources, 'number').sql
    if (depth === 0 || random.chance(0.3)) {
      return random.chance(0.8) ? column() : this.#constant(random.pick(['int', 'real']))
    }
    const next = () => this.#number(sources, depth - 1)
    switch (
      random.weighted({
        infix: 6,
        case: 2,
        coalesce: 2,
        unary: 1,
        abs: 1,
        nullif: 1,
        cast: 1,
        round: 1,
        length: 1,
        extreme: 1,
        truth: 1,
      })
    ) {
      case 'infix':
        return `(${next()} ${random.pick(['+', '-', '*', '*', '/', '%'])} ${next()})`
      case 'case':
        return `case when ${this.#condition(sources, 0)} then ${next()} else ${random.chance(0.5) ? '0' : next()} end`
      case 'coalesce':
        return `coalesce(${next()}, ${random.chance(0.5) ? '0' : next()})`
      case 'unary':
        return `(-${next()})`
      case 'abs':
        return `abs(${next()})`
      case 'nullif':
        return `nullif(${next()}, ${this.#constant('int')})`
      case 'cast':
        return `cast(${next()} as ${random.pick(['integer', 'real'])})`
      case 'round':
        return `round(${next()}${random.pick(['', ', 1', ', 2'])})`
      case 'length':
        return `length(${this.#text(sources, 0)})`
      case 'extreme':
        return `${random.pick(['min', 'max'])}(${next()}, ${next()})`
      case 'truth':
        return `(${this.#condition(sources, 0)})`
    }
  }

  #text(sources: readonly Source[], depth: number): string {
    const random = this.#random
    const column = () => this.#column(sources, 'text').sql
    if (depth === 0) {
      return column()
    }
    switch (
      random.weighted({ fold: 3, concat: 3, substr: 2, trim: 1, coalesce: 2, cast: 1, replace: 1 })
    ) {
      case 'fold':
        return `${random.pick(['lower', 'upper'])}(${column()})`
      case 'concat':
        return `${column()} || ${random.chance(0.5) ? `'-'` : this.#column(sources).sql}`
      case 'substr':
        return `substr(${column()}, ${random.integer(1, 3)}${random.chance(0.5) ? `, ${random.integer(0, 4)}` : ''})`
      case 'trim':
        return `trim(${column()})`
      case 'coalesce':
        return `coalesce(${column()}, '${random.pick(words).replaceAll("'", "''")}')`
      case 'cast':
        return `cast(${this.#column(sources, 'number').sql} as text)`
      case 'replace':
        return `replace(${column()}, 'a', 'bb')`
    }
  }

  #value(sources: readonly Source[]): string {
    const random = this.#random
    switch (random.weighted({ column: 6, number: 3, text: 2, subquery: 0.5 })) {
      case 'column':
        return this.#column(sources).sql
      case 'number':
        return this.#number(sources, 2)
      case 'text':
        return this.#text(sources, 1)
      case 'subquery': {
        const inner = this.#source(1)
        const outer = this.#column(sources, 'number')
        const own = this.#column([inner.source], 'number')
        return `(select ${this.#aggregate([inner.source])} from ${inner.sql} where ${own.sql} = ${outer.sql})`
      }
    }
  }

  #aggregate(sources: readonly Source[]): string {
    const random = this.#random
    const filter = random.chance(0.1) ? ` filter (where ${this.#condition(sources, 0)})` : ''
    switch (
      random.weighted({
        star: 3,
        count: 2,
        distinct: 1,
        sum: 4,
        avg: 3,
        extreme: 3,
        total: 0.5,
        expression: 2,
      })
    ) {
      case 'star':
        return `count(*)${filter}`
      case 'count':
        return `count(${this.#column(sources).sql})${filter}`
      case 'distinct':
        return `${random.pick(['count', 'count', 'sum', 'avg', 'max'])}(distinct ${this.#column(sources, 'number').sql})${filter}`
      case 'sum':
        return `sum(${this.#column(sources, 'number').sql})${filter}`
      case 'avg':
        return `avg(${this.#column(sources, 'number').sql})${filter}`
      case 'extreme':
        return `${random.pick(['min', 'max'])}(${this.#column(sources).sql})${filter}`
      case 'total':
        return `total(${this.#column(sources, 'number').sql})${filter}`
      case 'expression':
        return `${random.pick(['sum', 'avg', 'max', 'min', 'count'])}(${this.#number(sources, 2)})`
    }
  }

  #order(values: readonly string[], aliases: number, share: number): string {
    const random = this.#random
    if (!random.chance(share)) {
      return ''
    }
    const terms = Array.from({ length: random.integer(1, 3) }, () => {
      const term = random.weighted({ alias: 3, value: 4, ordinal: 1 })
      const at = random.integer(0, aliases - 1)
      const sql = { alias: `"r${at}"`, value: random.pick(values), ordinal: String(at + 1) }[term]
      const nulls = random.chance(0.1) ? random.pick([' nulls first', ' nulls last']) : ''
      return `${sql}${random.pick(['', '', ' asc', ' desc', ' desc'])}${nulls}`
    })
    return ` order by ${terms.join(', ')}`
  }

  #limit(share: number): string {
    const random = this.#random
    if (!random.chance(share)) {
      return ''
    }
    const count = random.integer(1, 10)
    const limit = random.chance(0.7) ? this.#parameter(count) : String(count)
    return ` limit ${limit}${random.chance(0.3) ? ` offset ${this.#parameter(random.integer(0, 3))}` : ''}`
  }

  #items(values: readonly string[]): string {
    return values.map((value, i) => `${value} as "r${i}"`).join(', ')
  }

  #plain(distinct = ''): string {
    const random = this.#random
    const { sql, sources } = this.#from()
    const values = Array.from({ length: random.integer(1, 4) }, () => this.#value(sources))
    const star = distinct === '' && random.chance(0.2)
    const items = star ? `"${sources[0]!.alias}".*` : this.#items(values)
    const sortable = sources.flatMap((source) => source.columns.map((column) => column.sql))
    const terms = distinct === '' ? sortable : values
    const order = star
      ? random.chance(0.5)
        ? ` order by ${random.pick(sortable)}${random.pick(['', ' desc'])}`
        : ''
      : this.#order(terms, values.length, 0.6)
    return `select ${distinct}${items} from ${sql}${this.#where(sources)}${order}${this.#limit(0.4)}`
  }

  #grouped(): string {
    const random = this.#random
    const { sql, sources } = this.#from()
    const keys = Array.from({ length: random.integer(0, 2) }, () =>
      random.chance(0.85) ? this.#column(sources).sql : this.#number(sources, 1),
    )
    const aggregates = Array.from({ length: random.integer(1, 3) }, () => this.#aggregate(sources))
    const arithmetic = random.chance(0.2) ? [`${this.#aggregate(sources)} * 1.0 / count(*)`] : []
    const values = [...keys, ...aggregates, ...arithmetic]
    const group =
      keys.length === 0
        ? ''
        : ` group by ${keys.map((key, i) => (random.chance(0.2) ? `"r${i}"` : random.chance(0.1) ? String(i + 1) : key)).join(', ')}`
    const having =
      keys.length > 0 && random.chance(0.3)
        ? ` having ${this.#aggregate(sources)} ${random.pick(['>', '>=', '<>'])} ${this.#constant('int')}`
        : ''
    const order = this.#order(values, values.length, keys.length === 0 ? 0.1 : 0.6)
    return `select ${this.#items(values)} from ${sql}${this.#where(sources)}${group}${having}${order}${this.#limit(0.3)}`
  }

  #windowed(): string {
    const random = this.#random
    const { sql, sources } = this.#from()
    const plain = Array.from({ length: random.integer(1, 3) }, () => this.#column(sources).sql)
    const calls = Array.from({ length: random.weighted({ 1: 4, 2: 1 }) === '1' ? 1 : 2 }, () =>
      this.#windowCall(sources),
    )
    const values = [...plain, ...calls]
    const select = `select ${this.#items(values)} from ${sql}${this.#where(sources, 0.3)}`
    if (random.chance(0.15)) {
      const outer = values.map((_, i) => `"w"."r${i}"`)
      return `select * from (${select}) as "w" where "w"."r${plain.length}" <= ${this.#parameter(2)} order by ${outer.join(', ')}`
    }
    return `${select}${this.#order(plain, values.length, 0.5)}${this.#limit(0.3)}`
  }

  #windowCall(sources: readonly Source[]): string {
    const random = this.#random
    const partition = random.chance(0.6) ? `partition by ${this.#column(sources).sql}` : ''
    const terms = Array.from(
      { length: random.integer(1, 2) },
      () => `${this.#column(sources).sql}${random.pick(['', ' desc'])}`,
    )
    const order = random.chance(0.85) ? `order by ${terms.join(', ')}` : ''
    const frame =
      order !== '' && random.chance(0.4)
        ? random.pick([
            'rows between unbounded preceding and current row',
            'rows between 2 preceding and current row',
            'rows between 1 preceding and 1 following',
            'range between unbounded preceding and current row',
            'range between unbounded preceding and unbounded following',
            'groups between 1 preceding and current row',
            'rows between current row and unbounded following',
          ])
        : ''
    const column = () => this.#column(sources).sql
    const number = () => this.#column(sources, 'number').sql
    const call = random.pick([
      'row_number()',
      'row_number()',
      'rank()',
      'dense_rank()',
      'percent_rank()',
      'cume_dist()',
      'ntile(3)',
      `lag(${column()})`,
      `lead(${column()}, 2)`,
      `lag(${number()}, 1, 0)`,
      `first_value(${column()})`,
      `last_value(${column()})`,
      `sum(${number()})`,
      `sum(${number()})`,
      `avg(${number()})`,
      `count(*)`,
      `max(${number()})`,
      `min(${column()})`,
    ])
    return `${call} over (${[partition, order, frame].filter((part) => part !== '').join(' ')})`
  }

  #compound(): string {
    const random = this.#random
    const shape = Array.from({ length: random.integer(1, 2) }, () =>
      random.pick(['number', 'text', 'number'] as const),
    )
    const arm = () => {
      const { sql, sources } = this.#from(1)
      const values = shape.map((wanted) => this.#column(sources, wanted).sql)
      return `select ${this.#items(values)} from ${sql}${this.#where(sources, 0.4)}`
    }
    let sql = arm()
    for (let i = random.integer(1, 2); i > 0; i -= 1) {
      sql += ` ${random.pick(['union', 'union all', 'union all', 'intersect', 'except'])} ${arm()}`
    }
    const order = random.chance(0.6)
      ? ` order by ${random.chance(0.5) ? '"r0"' : '1'}${random.pick(['', ' desc'])}`
      : ''
    return `${sql}${order}${this.#limit(0.3)}`
  }

  #common(): string {
    const random = this.#random
    const { sql, sources } = this.#from(1)
    const key = this.#column(sources)
    const cte = `select ${key.sql} as "k", ${this.#aggregate(sources)} as "v", count(*) as "n" from ${sql}${this.#where(sources, 0.3)} group by ${key.sql}`
    const joined = random.chance(0.4)
    if (!joined) {
      return `with "s" as (${cte}) select "s"."k" as "r0", "s"."v" as "r1" from "s"${random.chance(0.5) ? ` where "s"."n" > ${this.#parameter(1)}` : ''} order by ${random.pick(['"s"."k"', '"s"."v" desc, "s"."k"', '"r1"', '"s"."n", 1'])}${this.#limit(0.3)}`
    }
    const other = this.#source(1)
    const match = this.#column([other.source], classOf[key.kind])
    return `with "s" as (${cte}) select "${other.source.alias}".*, "s"."v" as "r0" from ${other.sql} ${random.pick(['inner', 'left'])} join "s" on "s"."k" = ${match.sql} order by ${random.pick([match.sql, other.source.columns[0]!.sql])}`
  }
}
