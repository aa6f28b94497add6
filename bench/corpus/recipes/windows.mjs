import { sql } from 'kysely'

export const windows = [
  {
    name: 'three dearest toys of each pet',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('toy')
            .select((inner) => [
              'pet_id',
              'name',
              'price',
              inner.fn
                .agg('row_number')
                .over((over) => over.partitionBy('pet_id').orderBy('price', 'desc').orderBy('id'))
                .as('place'),
            ])
            .as('ranked'),
        )
        .selectAll()
        .where('place', '<=', 3)
        .orderBy('pet_id')
        .orderBy('place'),
  },
  {
    name: 'rank and dense rank of spending',
    build: (db) =>
      db
        .with('spending', (qb) =>
          qb
            .selectFrom('visit')
            .innerJoin('pet', 'pet.id', 'visit.pet_id')
            .select((eb) => ['pet.owner_id', eb.fn.countAll().as('visits')])
            .groupBy('pet.owner_id'),
        )
        .selectFrom('spending')
        .select((eb) => [
          'owner_id',
          'visits',
          eb.fn
            .agg('rank')
            .over((over) => over.orderBy('visits', 'desc'))
            .as('rank'),
          eb.fn
            .agg('dense_rank')
            .over((over) => over.orderBy('visits', 'desc'))
            .as('dense_rank'),
        ])
        .orderBy('rank')
        .orderBy('owner_id')
        .limit(30),
  },
  {
    name: 'running total of a vet',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'id',
          'visited_at',
          'cost',
          eb.fn
            .sum('cost')
            .over((over) => over.partitionBy('vet_id').orderBy('visited_at').orderBy('id'))
            .as('running'),
        ])
        .where('vet_id', '=', 3)
        .orderBy('visited_at')
        .orderBy('id'),
  },
  {
    name: 'moving average over seven days',
    build: (db) =>
      db
        .with('daily', (qb) =>
          qb
            .selectFrom('visit')
            .select((eb) => [
              sql`substr(visited_at, 1, 10)`.as('day'),
              eb.fn.sum('cost').as('cost'),
            ])
            .groupBy('day'),
        )
        .selectFrom('daily')
        .select([
          'day',
          sql`avg(cost) over (order by day rows between 6 preceding and current row)`.as('average'),
        ])
        .orderBy('day', 'desc')
        .limit(60),
  },
  {
    name: 'previous and next visit',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'pet_id',
          'visited_at',
          eb.fn
            .agg('lag', ['visited_at'])
            .over((over) => over.partitionBy('pet_id').orderBy('visited_at').orderBy('id'))
            .as('previous'),
          eb.fn
            .agg('lead', ['reason'])
            .over((over) => over.partitionBy('pet_id').orderBy('visited_at').orderBy('id'))
            .as('next_reason'),
        ])
        .where('pet_id', '<', 50)
        .orderBy('pet_id')
        .orderBy('visited_at')
        .orderBy('id'),
  },
  {
    name: 'median and ninth decile of costs',
    build: (db) =>
      db
        .with('ranked', (qb) =>
          qb.selectFrom('visit').select((eb) => [
            'reason',
            'cost',
            eb.fn
              .agg('row_number')
              .over((over) => over.partitionBy('reason').orderBy('cost'))
              .as('nth'),
            eb.fn
              .countAll()
              .over((over) => over.partitionBy('reason'))
              .as('count'),
          ]),
        )
        .selectFrom('ranked')
        .select([
          'reason',
          sql`min(case when nth * 2 >= count then cost end)`.as('median'),
          sql`min(case when nth * 10 >= count * 9 then cost end)`.as('p90'),
        ])
        .groupBy('reason')
        .orderBy('reason'),
  },
  {
    name: 'percent rank of weights',
    build: (db) =>
      db
        .selectFrom('pet')
        .select((eb) => [
          'id',
          'species',
          'weight',
          eb.fn
            .agg('percent_rank')
            .over((over) => over.partitionBy('species').orderBy('weight'))
            .as('percent'),
        ])
        .where('weight', 'is not', null)
        .orderBy('species')
        .orderBy('weight')
        .orderBy('id'),
  },
  {
    name: 'first and last reason of each pet',
    build: (db) => {
      const history = sql`(partition by pet_id order by visited_at, id
        rows between unbounded preceding and unbounded following)`
      return db
        .selectFrom('visit')
        .select([
          'pet_id',
          sql`first_value(reason) over ${history}`.as('first_reason'),
          sql`last_value(reason) over ${history}`.as('last_reason'),
        ])
        .distinct()
        .orderBy('pet_id')
    },
  },
  {
    name: 'quartiles',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('toy')
            .select(['price', sql`ntile(4) over (order by price, id)`.as('quartile')])
            .as('toy'),
        )
        .select((eb) => [
          'quartile',
          eb.fn.min('price').as('least'),
          eb.fn.max('price').as('most'),
          eb.fn.avg('price').as('average'),
        ])
        .groupBy('quartile')
        .orderBy('quartile'),
  },
  {
    name: 'sessions: gaps of more than ninety days',
    build: (db) =>
      db
        .with('gap', (qb) =>
          qb.selectFrom('visit').select([
            'pet_id',
            'visited_at',
            sql`case when julianday(visited_at) - julianday(lag(visited_at) over (
                partition by pet_id order by visited_at, id)) <= 90 then 0 else 1 end`.as('is_new'),
          ]),
        )
        .selectFrom('gap')
        .select((eb) => [
          'pet_id',
          eb.fn.sum('is_new').as('courses'),
          eb.fn.countAll().as('visits'),
        ])
        .groupBy('pet_id')
        .having((eb) => eb.fn.countAll(), '>', 8)
        .orderBy('pet_id'),
  },
]
