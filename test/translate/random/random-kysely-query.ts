import {
  type Compilable,
  DummyDriver,
  type Expression,
  expressionBuilder,
  Kysely,
  type SqlBool,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/sqlite'
import type { RandomQuery } from './query-writer.js'
import type { Random } from './random.js'
import type { RandomColumn, RandomTable } from './random-schema.js'
import { classOf, randomValue, type ValueClass } from './random-value.js'

type Tables = Record<string, Record<string, unknown>>

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** A statement made by Kysely's own builder, as an application would call it. */
export function randomKyselyQuery(random: Random, tables: readonly RandomTable[]): RandomQuery {
  const maker = new KyselyMaker(random, tables)
  const compiled = maker.make().compile()
  return { sql: compiled.sql, parameters: compiled.parameters }
}

type Query = ReturnType<typeof selectFrom>

function selectFrom(table: RandomTable, alias: string) {
  return db.selectFrom(`${table.name} as ${alias}`)
}

class KyselyMaker {
  readonly #random: Random
  readonly #tables: readonly RandomTable[]

  constructor(random: Random, tables: readonly RandomTable[]) {
    this.#random = random
    this.#tables = tables
  }

  make(): Compilable<unknown> {
    switch (
      this.#random.weighted({ plain: 3, grouped: 5, window: 2, relation: 1, cte: 1, union: 1 })
    ) {
      case 'plain':
        return this.#plain()
      case 'grouped':
        return this.#grouped()
      case 'window':
        return this.#window()
      case 'relation':
        return this.#relation()
      case 'cte':
        return this.#cte()
      case 'union':
        return this.#union()
    }
  }

  /** FROM, a join perhaps, and WHERE; columns are those of both. */
  #base(): { readonly query: Query; readonly columns: readonly RandomColumn[] } {
    const random = this.#random
    const first = random.pick(this.#tables)
    let query = selectFrom(first, 'a')
    let columns = renamed(first, 'a')
    if (random.chance(0.5)) {
      const second = random.pick(this.#tables)
      const own = this.#pick(columns, 'number').name
      const other = random.chance(0.6) ? 'b.id' : this.#pick(renamed(second, 'b'), 'number').name
      const key = renamed(second, 'b').some(({ name }) => name === other)
        ? other
        : renamed(second, 'b')[0]!.name
      query = random.chance(0.5)
        ? query.innerJoin(`${second.name} as b`, own, key)
        : query.leftJoin(`${second.name} as b`, own, key)
      columns = [...columns, ...renamed(second, 'b')]
    }
    for (let i = random.integer(0, 2); i > 0; i -= 1) {
      query = query.where(this.#condition(columns))
    }
    return { query, columns }
  }

  #plain(): Compilable<unknown> {
    const random = this.#random
    const { query, columns } = this.#base()
    const chosen = [this.#pick(columns), this.#pick(columns)]
    let selected = query.select(chosen.map(({ name }, i) => sql.ref(name).as(`r${i}`)))
    if (random.chance(0.3)) {
      selected = selected.distinct()
    }
    const ordered = selected.orderBy(chosen[0]!.name, random.pick(['asc', 'desc'] as const))
    return random.chance(0.5)
      ? ordered.limit(random.integer(1, 9)).offset(random.integer(0, 2))
      : ordered
  }

  #grouped(): Compilable<unknown> {
    const random = this.#random
    const { query, columns } = this.#base()
    const keys = Array.from({ length: random.integer(0, 2) }, () => this.#pick(columns).name)
    let grouped = query.select([
      ...keys.map((key, i) => sql.ref(key).as(`k${i}`)),
      db.fn.countAll().as('n'),
      this.#aggregate(columns).as('v'),
    ])
    if (keys.length > 0) {
      grouped = grouped.groupBy(keys)
    }
    if (keys.length > 0 && random.chance(0.3)) {
      grouped = grouped.having(
        db.fn.countAll(),
        random.pick(['>', '>=', '<'] as const),
        random.integer(0, 3),
      )
    }
    if (random.chance(0.6)) {
      grouped = grouped.orderBy(
        sql.ref(random.pick(['n', 'v'])),
        random.pick(['asc', 'desc'] as const),
      )
    }
    return random.chance(0.4) ? grouped.limit(random.integer(1, 10)) : grouped
  }

  #window(): Compilable<unknown> {
    const random = this.#random
    const { query, columns } = this.#base()
    const [partition, by, plain] = [this.#pick(columns), this.#pick(columns), this.#pick(columns)]
    const value = db.fn
      .agg<number>(random.pick(['row_number', 'rank', 'dense_rank']))
      .over((over) =>
        over
          .partitionBy(partition.name)
          .orderBy(sql.ref(by.name), random.pick(['asc', 'desc'] as const)),
      )
    const inner = query.select([
      sql.ref(plain.name).as('p'),
      sql.ref(by.name).as('o'),
      value.as('place'),
    ])
    return random.chance(0.5)
      ? db
          .selectFrom(inner.as('w'))
          .selectAll()
          .where('place', '<=', 2)
          .orderBy('place')
          .orderBy('o')
          .orderBy('p')
      : inner
  }

  /** A row with the rows that belong to it, as JSON. */
  #relation(): Compilable<unknown> {
    const random = this.#random
    const [outer, inner] = [random.pick(this.#tables), random.pick(this.#tables)]
    const key = this.#pick(renamed(inner, 'i'), 'number').name
    const own = this.#pick(renamed(outer, 'a'), 'number').name
    const names = inner.columns.slice(0, 3).map(({ name }) => name)
    const rows = selectFrom(inner, 'i')
      .select(names.map((name, i) => sql.ref(`i.${name}`).as(`c${i}`)))
      .whereRef(key, '=', own)
      .orderBy(`i.${names[0]}`)
    const relation = random.chance(0.7)
      ? jsonArrayFrom(rows).as('many')
      : jsonObjectFrom(rows.limit(1)).as('one')
    return selectFrom(outer, 'a')
      .select([sql.ref(`a.${outer.columns[0]!.name}`).as('id'), relation])
      .orderBy('id')
  }

  #cte(): Compilable<unknown> {
    const { query, columns } = this.#base()
    const key = this.#pick(columns).name
    const grouped = query
      .select([sql.ref(key).as('k'), this.#aggregate(columns).as('v')])
      .groupBy(key)
    return db
      .with('totals', () => grouped)
      .selectFrom('totals')
      .selectAll()
      .where('k', 'is not', null)
      .orderBy('v', 'desc')
      .orderBy('k')
  }

  #union(): Compilable<unknown> {
    const random = this.#random
    const wanted = random.pick(['number', 'text'] as const)
    const arm = () => {
      const { query, columns } = this.#base()
      return query.select(sql.ref(this.#pick(columns, wanted).name).as('u'))
    }
    const operator = random.pick(['union', 'unionAll', 'intersect', 'except'] as const)
    return arm()[operator](arm()).orderBy('u')
  }

  #aggregate(columns: readonly RandomColumn[]) {
    const random = this.#random
    const number = this.#pick(columns, 'number').name
    switch (random.weighted({ sum: 4, avg: 2, extreme: 3, count: 2, filtered: 1 })) {
      case 'sum':
        return db.fn.sum<number>(number)
      case 'avg':
        return db.fn.avg<number>(number)
      case 'extreme':
        return db.fn[random.pick(['min', 'max'] as const)]<number, string>(this.#pick(columns).name)
      case 'count':
        return db.fn.count<number>(this.#pick(columns).name).distinct()
      case 'filtered':
        return db.fn.sum<number>(number).filterWhere(this.#condition(columns))
    }
  }

  #condition(columns: readonly RandomColumn[]): Expression<SqlBool> {
    const random = this.#random
    const column = this.#pick(columns)
    const eb = expressionBuilder<Tables, string>()
    const value = () => plainNumber(randomValue(column.kind, random))
    switch (
      random.weighted({ compare: 6, in: 2, between: 1, null: 1, like: 2, any: 1, exists: 0.5 })
    ) {
      case 'compare':
        return eb(column.name, random.pick(['=', '!=', '<', '<=', '>', '>='] as const), value())
      case 'in':
        return eb(column.name, random.pick(['in', 'not in'] as const), [value(), value(), value()])
      case 'between':
        return eb.between(column.name, value(), value())
      case 'null':
        return eb(column.name, random.pick(['is', 'is not'] as const), null)
      case 'like':
        return eb(
          this.#pick(columns, 'text').name,
          'like',
          random.pick(['%a%', 'b%', '%o_', 'AN%']),
        )
      case 'any':
        return eb.or([this.#condition(columns), eb.not(this.#condition(columns))])
      case 'exists': {
        const inner = random.pick(this.#tables)
        const key = this.#pick(renamed(inner, 'e'), 'number').name
        const own = this.#pick(columns, 'number').name
        return eb.exists(
          selectFrom(inner, 'e').select(sql<number>`1`.as('x')).whereRef(key, '=', own),
        )
      }
    }
  }

  #pick(columns: readonly RandomColumn[], wanted?: ValueClass): RandomColumn {
    const fitting = columns.filter(({ kind }) => wanted === undefined || classOf(kind) === wanted)
    return this.#random.pick(fitting.length > 0 ? fitting : columns)
  }
}

function renamed(table: RandomTable, alias: string): readonly RandomColumn[] {
  return table.columns.map((column) => ({ ...column, name: `${alias}.${column.name}` }))
}

/** Whole numbers are JavaScript numbers in applications. */
function plainNumber(value: unknown): unknown {
  return typeof value === 'bigint' && value < 2n ** 53n && value > -(2n ** 53n)
    ? Number(value)
    : value
}
