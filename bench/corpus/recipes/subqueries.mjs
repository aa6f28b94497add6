import { sql } from 'kysely'

export const subqueries = [
  {
    name: 'exists',
    build: (db) =>
      db
        .selectFrom('person')
        .select(['id', 'first_name'])
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('pet')
              .select('pet.id')
              .whereRef('pet.owner_id', '=', 'person.id')
              .where('pet.species', '=', 'parrot'),
          ),
        )
        .orderBy('id'),
  },
  {
    name: 'not exists',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => ['gender', eb.fn.countAll().as('people')])
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('pet').selectAll().whereRef('pet.owner_id', '=', 'person.id'))),
        )
        .groupBy('gender')
        .orderBy('gender'),
  },
  {
    name: 'in and not in a subquery',
    build: (db) =>
      db
        .selectFrom('pet')
        .select(['id', 'name'])
        .where('id', 'in', db.selectFrom('toy').select('pet_id').where('price', '>', 55))
        .where('id', 'not in', db.selectFrom('visit').select('pet_id').where('cost', '>', 1000))
        .orderBy('id'),
  },
  {
    name: 'scalar subqueries in the selection',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          'person.id',
          eb
            .selectFrom('pet')
            .select((inner) => inner.fn.countAll().as('count'))
            .whereRef('pet.owner_id', '=', 'person.id')
            .as('pets'),
          eb
            .selectFrom('visit')
            .innerJoin('pet', 'pet.id', 'visit.pet_id')
            .select((inner) => inner.fn.max('visit.visited_at').as('last'))
            .whereRef('pet.owner_id', '=', 'person.id')
            .as('last_visit'),
        ])
        .orderBy('person.id'),
  },
  {
    name: 'name of the first pet (subquery with limit)',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          'first_name',
          eb
            .selectFrom('pet')
            .select('name')
            .whereRef('pet.owner_id', '=', 'person.id')
            .orderBy('pet.id')
            .limit(1)
            .as('first_pet'),
        ])
        .orderBy('person.id')
        .limit(100),
  },
  {
    name: 'above the average of its group',
    build: (db) =>
      db
        .selectFrom('pet')
        .select(['pet.id', 'pet.species', 'pet.weight'])
        .where('pet.weight', '>', (eb) =>
          eb
            .selectFrom('pet as same')
            .select((inner) => inner.fn.avg('same.weight').as('average'))
            .whereRef('same.species', '=', 'pet.species'),
        )
        .orderBy('pet.weight', 'desc')
        .orderBy('pet.id')
        .limit(50),
  },
  {
    name: 'several common tables',
    build: (db) =>
      db
        .with('owner', (qb) =>
          qb
            .selectFrom('person')
            .select(['id', 'first_name'])
            .where('deleted_at', 'is', null)
            .where('is_active', '=', 1),
        )
        .with('owned', (qb) =>
          qb
            .selectFrom('pet')
            .innerJoin('owner', 'owner.id', 'pet.owner_id')
            .select(['pet.id', 'pet.species', 'owner.first_name']),
        )
        .selectFrom('owned')
        .select((eb) => ['species', 'first_name', eb.fn.countAll().as('pets')])
        .groupBy(['species', 'first_name'])
        .orderBy('species')
        .orderBy('pets', 'desc')
        .orderBy('first_name'),
  },
  {
    name: 'tree of categories (recursive)',
    build: (db) =>
      db
        .withRecursive('tree', (qb) =>
          qb
            .selectFrom('category')
            .select(['id', 'name', sql`0`.as('depth')])
            .where('parent_id', 'is', null)
            .unionAll((eb) =>
              eb
                .selectFrom('category')
                .innerJoin('tree', 'tree.id', 'category.parent_id')
                .select(['category.id', 'category.name', sql`tree.depth + 1`.as('depth')]),
            ),
        )
        .selectFrom('tree')
        .selectAll()
        .orderBy('depth')
        .orderBy('id'),
  },
  {
    name: 'all who report to somebody (recursive)',
    build: (db) =>
      db
        .withRecursive('team(id)', (qb) =>
          qb
            .selectFrom('person')
            .select('id')
            .where('id', '=', 2)
            .union(
              qb
                .selectFrom('person')
                .innerJoin('team', 'team.id', 'person.manager_id')
                .select('person.id'),
            ),
        )
        .selectFrom('team')
        .innerJoin('person', 'person.id', 'team.id')
        .select((eb) => ['person.gender', eb.fn.countAll().as('people')])
        .groupBy('person.gender')
        .orderBy('person.gender'),
  },
  {
    name: 'view',
    build: (db) =>
      db
        .selectFrom('active_person')
        .innerJoin('pet', 'pet.owner_id', 'active_person.id')
        .select((eb) => ['active_person.last_name', eb.fn.countAll().as('pets')])
        .groupBy('active_person.last_name')
        .orderBy('pets', 'desc')
        .orderBy('active_person.last_name'),
  },
  {
    name: 'derived table with computed columns',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('toy')
            .select(['pet_id', sql`round(price * 1.19, 2)`.as('gross')])
            .as('priced'),
        )
        .innerJoin('pet', 'pet.id', 'priced.pet_id')
        .select((eb) => ['pet.species', eb.fn.sum('priced.gross').as('gross')])
        .groupBy('pet.species')
        .orderBy('gross', 'desc'),
  },
]
