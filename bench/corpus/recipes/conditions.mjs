import { sql } from 'kysely'

export const conditions = [
  {
    name: 'person by id',
    build: (db) => db.selectFrom('person').selectAll().where('id', '=', 7),
  },
  {
    name: 'person by email',
    build: (db) =>
      db
        .selectFrom('person')
        .select(['id', 'first_name'])
        .where('email', '=', 'ada.114@example.com'),
  },
  {
    name: 'case with several branches',
    build: (db) =>
      db
        .selectFrom('pet')
        .select((eb) => [
          eb
            .case()
            .when('weight', 'is', null)
            .then('unknown')
            .when('weight', '<', 5)
            .then('light')
            .when(eb.between('weight', 5, 20))
            .then('medium')
            .else('heavy')
            .end()
            .as('size'),
          eb.fn.countAll().as('pets'),
        ])
        .groupBy('size')
        .orderBy('size'),
  },
  {
    name: 'coalesce and nullif',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin('pet', 'pet.owner_id', 'person.id')
        .select((eb) => [
          eb.fn.coalesce('middle_name', 'first_name').as('called'),
          sql`nullif(last_name, 'Smith')`.as('last_name'),
          eb.fn.coalesce('pet.weight', eb.val(0)).as('weight'),
        ])
        .where('person.deleted_at', 'is', null)
        .orderBy('pet.id')
        .limit(200),
  },
  {
    name: 'and, or, not',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => eb.fn.countAll().as('people'))
        .where((eb) =>
          eb.or([
            eb.and([eb('first_name', '=', 'Jennifer'), eb('last_name', '=', 'Aniston')]),
            eb.and({ gender: 'female', is_active: 1 }),
            eb.not(eb('email', 'like', '%example.com')),
          ]),
        ),
  },
  {
    name: 'tuples in a list',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => ['first_name', 'last_name', eb.fn.countAll().as('people')])
        .where((eb) =>
          eb(eb.refTuple('first_name', 'last_name'), 'in', [
            eb.tuple('Ada', 'Brown'),
            eb.tuple('Chloé', 'Moreau'),
            eb.tuple('Björn', 'Åberg'),
          ]),
        )
        .groupBy(['first_name', 'last_name'])
        .orderBy('first_name'),
  },
  {
    name: 'tuples in a subquery',
    build: (db) =>
      db
        .selectFrom('visit')
        .select(['id', 'pet_id', 'visited_at', 'cost'])
        .where((eb) =>
          eb(
            eb.refTuple('pet_id', 'visited_at'),
            'in',
            eb
              .selectFrom('visit as last')
              .select((inner) => ['last.pet_id', inner.fn.max('last.visited_at').as('visited_at')])
              .groupBy('last.pet_id')
              .$asTuple('pet_id', 'visited_at'),
          ),
        )
        .orderBy('pet_id'),
  },
  {
    name: 'boolean columns',
    build: (db) =>
      db
        .selectFrom('pet')
        .innerJoin('person', 'person.id', 'pet.owner_id')
        .select((eb) => [
          'is_vaccinated',
          'is_active',
          eb.fn.countAll().as('pets'),
          eb.fn.sum('is_vaccinated').as('sum'),
        ])
        .groupBy(['is_vaccinated', 'is_active'])
        .orderBy('is_vaccinated')
        .orderBy('is_active'),
  },
  {
    name: 'boolean expressions in the selection',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin('pet', 'pet.owner_id', 'person.id')
        .select((eb) => [
          'pet.id',
          eb('person.deleted_at', 'is', null).as('is_present'),
          eb('pet.weight', '>', 20).as('is_heavy'),
          eb.and([eb('is_active', '=', 1), eb('is_vaccinated', '=', 0)]).as('is_due'),
        ])
        .orderBy('pet.id')
        .limit(100),
  },
  {
    name: 'soft deletion over joins',
    build: (db) =>
      db
        .selectFrom('person')
        .leftJoin('person as manager', (join) =>
          join.onRef('manager.id', '=', 'person.manager_id').on('manager.deleted_at', 'is', null),
        )
        .select((eb) => [eb.fn.countAll().as('people'), eb.fn.count('manager.id').as('managed')])
        .where('person.deleted_at', 'is', null),
  },
  {
    name: 'null-safe comparison',
    build: (db) =>
      db
        .selectFrom('person as a')
        .innerJoin('person as b', (join) =>
          join
            .onRef('a.manager_id', '=', 'b.manager_id')
            .onRef('a.middle_name', 'is', 'b.middle_name')
            .onRef('a.id', '<', 'b.id'),
        )
        .select((eb) => eb.fn.countAll().as('pairs')),
  },
]
