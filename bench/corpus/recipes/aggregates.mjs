import { sql } from 'kysely'

export const aggregates = [
  {
    name: 'count of all rows',
    build: (db) => db.selectFrom('person').select((eb) => eb.fn.countAll().as('people')),
  },
  {
    name: 'the usual aggregates',
    build: (db) =>
      db
        .selectFrom('visit')
        .select(({ fn }) => [
          fn.count('id').as('visits'),
          fn.count('pet_id').distinct().as('pets'),
          fn.sum('cost').as('total'),
          fn.avg('cost').as('average'),
          fn.min('cost').as('least'),
          fn.max('visited_at').as('last'),
        ]),
  },
  {
    name: 'aggregates with filterWhere',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          'gender',
          eb.fn.countAll().as('people'),
          eb.fn.countAll().filterWhere('deleted_at', 'is', null).as('present'),
          eb.fn.countAll().filterWhere('is_active', '=', 1).as('active'),
          eb.fn
            .avg(sql`cast(strftime('%Y', birth_date) as integer)`)
            .filterWhere('birth_date', 'is not', null)
            .as('born'),
        ])
        .groupBy('gender')
        .orderBy('gender'),
  },
  {
    name: 'group by several, having',
    build: (db) =>
      db
        .selectFrom('pet')
        .innerJoin('visit', 'visit.pet_id', 'pet.id')
        .select((eb) => [
          'pet.species',
          'visit.reason',
          eb.fn.countAll().as('visits'),
          eb.fn.sum('visit.cost').as('cost'),
        ])
        .groupBy(['pet.species', 'visit.reason'])
        .having((eb) => eb.fn.countAll(), '>', 50)
        .having((eb) => eb.fn.avg('visit.cost'), '>=', 60)
        .orderBy('cost', 'desc'),
  },
  {
    name: 'sums by condition (case)',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'vet_id',
          eb.fn
            .sum(eb.case().when('paid_at', 'is', null).then(eb.ref('cost')).else(0).end())
            .as('unpaid'),
          eb.fn.sum(eb.case('reason').when('surgery').then(1).else(0).end()).as('surgeries'),
        ])
        .groupBy('vet_id')
        .orderBy('vet_id'),
  },
  {
    name: 'share of a total',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'reason',
          eb.fn.countAll().as('visits'),
          sql`round(100.0 * count(*) / (select count(*) from visit), 2)`.as('percent'),
        ])
        .groupBy('reason')
        .orderBy('percent', 'desc')
        .orderBy('reason'),
  },
  {
    name: 'duplicates',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => ['first_name', 'last_name', eb.fn.countAll().as('times')])
        .groupBy(['first_name', 'last_name'])
        .having(sql`count(*)`, '>', 6)
        .orderBy('times', 'desc')
        .orderBy('first_name')
        .orderBy('last_name'),
  },
  {
    name: 'names in one text (group_concat)',
    build: (db) =>
      db
        .selectFrom('pet')
        .select((eb) => [
          'owner_id',
          eb.fn.agg('group_concat', ['name']).as('pets'),
          eb.fn.agg('group_concat', ['species']).distinct().as('species'),
        ])
        .groupBy('owner_id')
        .orderBy('owner_id'),
  },
  {
    name: 'names in one text, in their order',
    build: (db) =>
      db
        .selectFrom('pet')
        .select(['species', sql`group_concat(name, ', ' order by name, id)`.as('pets')])
        .where('weight', '>', 38)
        .groupBy('species')
        .orderBy('species'),
  },
  {
    name: 'histogram of costs',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          sql`cast(cost / 100 as integer) * 100`.as('from'),
          eb.fn.countAll().as('visits'),
        ])
        .groupBy('from')
        .orderBy('from'),
  },
  {
    name: 'number of pets for each number of owners',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('person')
            .leftJoin('pet', 'pet.owner_id', 'person.id')
            .select((inner) => ['person.id', inner.fn.count('pet.id').as('pets')])
            .groupBy('person.id')
            .as('owner'),
        )
        .select((eb) => ['pets', eb.fn.countAll().as('people')])
        .groupBy('pets')
        .orderBy('pets'),
  },
]
