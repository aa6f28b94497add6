import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

interface Tables {
  person: {
    id: number
    name: string
    email: string | null
    age: number | null
    country: string
    created_at: string
  }
  order: {
    id: number
    person_id: number
    status: string
    amount: number
    discount: number | null
    placed_at: string
  }
  item: { id: number; order_id: number; product: string; quantity: number; price: number }
}

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const { fn } = db

/** Analytic queries as applications write them; each must be answered by DuckDB. */
const queries: Readonly<Record<string, { compile(): CompiledQuery }>> = {
  'count by group': db
    .selectFrom('person')
    .select(['country', fn.countAll().as('n')])
    .groupBy('country'),
  'top ten by sum, ties in group order': db
    .selectFrom('order')
    .select(['person_id', fn.sum('amount').as('total'), fn.avg('amount').as('mean')])
    .where('status', '=', 'paid')
    .groupBy('person_id')
    .orderBy('total', 'desc')
    .limit(10),
  'join, aggregate, having': db
    .selectFrom('person')
    .innerJoin('order', 'order.person_id', 'person.id')
    .select([
      'person.id',
      'person.name',
      fn.count('order.id').as('orders'),
      fn.sum('order.amount').as('total'),
    ])
    .where('person.age', '>', 20)
    .groupBy(['person.id', 'person.name'])
    .having((eb) => eb.fn.count('order.id'), '>', 2)
    .orderBy('total', 'desc')
    .limit(20),
  'left join with nothing to match': db
    .selectFrom('person')
    .leftJoin('order', 'order.person_id', 'person.id')
    .select(['person.id', fn.count('order.id').as('orders')])
    .groupBy('person.id')
    .orderBy('orders', 'desc')
    .orderBy('person.id'),
  'three tables, revenue by product': db
    .selectFrom('item')
    .innerJoin('order', 'order.id', 'item.order_id')
    .innerJoin('person', 'person.id', 'order.person_id')
    .select(['item.product', sql<number>`sum("item"."quantity" * "item"."price")`.as('revenue')])
    .where('person.country', 'in', ['de', 'fr'])
    .groupBy('item.product')
    .orderBy('revenue', 'desc'),
  'rows of a join without order': db
    .selectFrom('order')
    .innerJoin('person', 'person.id', 'order.person_id')
    .selectAll('order')
    .select('person.name')
    .where('order.amount', '>', 50.5),
  'conditional sums': db
    .selectFrom('order')
    .select((eb) => [
      'person_id',
      eb.fn
        .sum(eb.case().when('status', '=', 'paid').then(eb.ref('amount')).else(0).end())
        .as('paid'),
      eb.fn.sum(eb.case().when('status', '=', 'open').then(1).else(0).end()).as('open'),
      eb.fn.countAll().filterWhere('discount', 'is not', null).as('discounted'),
    ])
    .groupBy('person_id'),
  'text search and rounding': db
    .selectFrom('person')
    .leftJoin('order', 'order.person_id', 'person.id')
    .select(['person.country', sql<number>`round(avg("order"."amount"), 2)`.as('mean')])
    .where('person.name', 'like', '%an%')
    .groupBy('person.country')
    .orderBy('mean', 'desc'),
  'dates by month': db
    .selectFrom('order')
    .select([sql<string>`substr("placed_at", 1, 7)`.as('month'), fn.sum('amount').as('total')])
    .where('placed_at', '>=', '2024-01-01')
    .where('placed_at', '<', '2025-01-01')
    .groupBy(sql`substr("placed_at", 1, 7)`)
    .orderBy('month'),
  'running total': db
    .selectFrom('order')
    .select((eb) => [
      'id',
      eb.fn
        .sum('amount')
        .over((over) => over.partitionBy('person_id').orderBy('placed_at').orderBy('id'))
        .as('running'),
    ])
    .orderBy('person_id')
    .orderBy('placed_at')
    .orderBy('id'),
  'first order of each person': db
    .selectFrom((eb) =>
      eb
        .selectFrom('order')
        .select((inner) => [
          'id',
          'person_id',
          'amount',
          inner.fn
            .agg<number>('row_number')
            .over((over) => over.partitionBy('person_id').orderBy('placed_at').orderBy('id'))
            .as('rn'),
        ])
        .as('ranked'),
    )
    .select(['ranked.id', 'ranked.person_id', 'ranked.amount'])
    .where('ranked.rn', '=', 1)
    .orderBy('ranked.person_id'),
  'rank within country, ties and all': db
    .selectFrom('person')
    .select((eb) => [
      'name',
      eb.fn
        .agg<number>('rank')
        .over((over) => over.partitionBy('country').orderBy('age', 'desc'))
        .as('place'),
      eb.fn
        .agg<number>('row_number')
        .over((over) => over.orderBy('age'))
        .as('number'),
    ])
    .orderBy('country'),
  'common table, joined': db
    .with('spent', (qc) =>
      qc
        .selectFrom('order')
        .select(['person_id', fn.sum<number>('amount').as('total'), fn.countAll<number>().as('n')])
        .groupBy('person_id'),
    )
    .selectFrom('person')
    .leftJoin('spent', 'spent.person_id', 'person.id')
    .select(['person.name', 'spent.total', 'spent.n'])
    .orderBy('spent.total', 'desc')
    .limit(15),
  'more than the average': db
    .selectFrom('order')
    .select(['id', 'amount'])
    .where('amount', '>', (eb) =>
      eb.selectFrom('order').select((inner) => inner.fn.avg<number>('amount').as('a')),
    )
    .orderBy('amount', 'desc'),
  'those without orders': db
    .selectFrom('person')
    .select(['id', 'name'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('order').select('order.id').whereRef('order.person_id', '=', 'person.id'),
        ),
      ),
    ),
  'in a subquery': db
    .selectFrom('person')
    .selectAll()
    .where('id', 'in', (eb) =>
      eb.selectFrom('order').select('person_id').where('status', '=', 'open'),
    )
    .orderBy('name'),
  union: db
    .selectFrom('person')
    .select(['name as label'])
    .where('country', '=', 'de')
    .union(db.selectFrom('item').select(['product as label']))
    .orderBy('label'),
  'union all keeps the arms apart': db
    .selectFrom('person')
    .select(['id', 'name as label'])
    .unionAll(db.selectFrom('item').select(['id', 'product as label']).where('quantity', '>', 3)),
  distinct: db
    .selectFrom('order')
    .select(['status', 'person_id'])
    .distinct()
    .where('amount', '>', 20),
  'correlated count': db
    .selectFrom('person')
    .select((eb) => [
      'id',
      eb
        .selectFrom('order')
        .select((inner) => inner.fn.countAll<number>().as('n'))
        .whereRef('order.person_id', '=', 'person.id')
        .as('orders'),
    ])
    .orderBy('id'),
  'one row of totals': db
    .selectFrom('order')
    .select([
      fn.countAll().as('n'),
      fn.sum('amount').as('total'),
      fn.max('placed_at').as('last'),
      fn.count('discount').distinct().as('kinds'),
    ]),
}

describe('queries of an application', () => {
  let engines: BothEngines

  beforeAll(async () => {
    engines = await BothEngines.open()
    engines.db.exec(`
      create table person (id integer primary key, name text not null, email text, age integer,
        country text not null, created_at text not null);
      create table "order" (id integer primary key autoincrement, person_id integer not null references person,
        status varchar(10) not null, amount real not null, discount numeric, placed_at datetime not null);
      create table item (id integer primary key, order_id integer not null, product text not null,
        quantity integer not null, price decimal(10, 2) not null);
      create index order_person on "order" (person_id);
      create index item_order on item (order_id);`)
    const random = new Random(42)
    const name = () => random.pick(['Anna', 'Hannah', 'Bob', 'Ján', 'Élan', 'kim'])
    const day = () =>
      `202${random.integer(3, 4)}-0${random.integer(1, 9)}-${random.integer(10, 28)}`
    const person = engines.db.prepare('insert into person values (?, ?, ?, ?, ?, ?)')
    const order = engines.db.prepare('insert into "order" values (?, ?, ?, ?, ?, ?)')
    const item = engines.db.prepare('insert into item values (?, ?, ?, ?, ?)')
    for (let i = 1; i <= 60; i += 1) {
      const age = random.chance(0.1) ? null : random.integer(15, 40)
      person.run(i, name(), null, age, random.pick(['de', 'fr', 'it', 'es']), day())
    }
    for (let i = 1; i <= 300; i += 1) {
      const discount = random.chance(0.5) ? null : random.integer(0, 10) / 2
      const amount = random.integer(100, 9999) / 100
      order.run(
        i,
        random.integer(1, 55),
        random.pick(['paid', 'open', 'void']),
        amount,
        discount,
        `${day()} 10:00:00`,
      )
    }
    for (let i = 1; i <= 600; i += 1) {
      const price = random.pick([5, 9.99, 12.5, 100])
      item.run(
        i,
        random.integer(1, 300),
        random.pick(['pen', 'ink', 'pad', 'cap']),
        random.integer(1, 5),
        price,
      )
    }
    await engines.copy(random)
  })

  afterAll(() => engines.close())

  test.each(Object.entries(queries))('%s', async (_, query) => {
    const compiled = query.compile()
    const outcome = await engines.check(compiled.sql, compiled.parameters)
    expect(outcome, compiled.sql).toMatchObject({ kind: 'same' })
  })
})
