import { sql } from 'kysely'

export const joins = [
  {
    name: 'inner join',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin('pet', 'pet.owner_id', 'person.id')
        .select(['person.id', 'first_name', 'pet.name as pet_name', 'species'])
        .orderBy('person.id')
        .orderBy('pet.id'),
  },
  {
    name: 'left join with several conditions',
    build: (db) =>
      db
        .selectFrom('person')
        .leftJoin('pet', (join) =>
          join
            .onRef('pet.owner_id', '=', 'person.id')
            .on('pet.species', '=', 'cat')
            .on((eb) => eb.or([eb('pet.weight', '>', 5), eb('pet.weight', 'is', null)])),
        )
        .select(['person.id', 'person.first_name', 'pet.name', 'pet.weight'])
        .where('person.id', '<=', 100)
        .orderBy('person.id')
        .orderBy('pet.id'),
  },
  {
    name: 'join with a subquery',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin(
          (eb) =>
            eb
              .selectFrom('pet')
              .select((inner) => ['owner_id', inner.fn.countAll().as('pets')])
              .where('is_vaccinated', '=', 1)
              .groupBy('owner_id')
              .as('vaccinated'),
          (join) => join.onRef('vaccinated.owner_id', '=', 'person.id'),
        )
        .select(['person.first_name', 'person.last_name', 'vaccinated.pets'])
        .orderBy('vaccinated.pets', 'desc')
        .orderBy('person.id')
        .limit(20),
  },
  {
    name: 'self join of managers',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin('person as manager', 'manager.id', 'person.manager_id')
        .select((eb) => [
          'manager.id',
          'manager.first_name',
          'manager.last_name',
          eb.fn.countAll().as('reports'),
          eb.fn.count('person.deleted_at').as('gone'),
        ])
        .groupBy(['manager.id', 'manager.first_name', 'manager.last_name'])
        .orderBy('reports', 'desc')
        .orderBy('manager.id')
        .limit(15),
  },
  {
    name: 'four tables without order',
    build: (db) =>
      db
        .selectFrom('visit')
        .innerJoin('pet', 'pet.id', 'visit.pet_id')
        .innerJoin('person as owner', 'owner.id', 'pet.owner_id')
        .innerJoin('person as vet', 'vet.id', 'visit.vet_id')
        .select(['visit.id', 'pet.name', 'owner.last_name as owner', 'vet.last_name as vet'])
        .where('visit.reason', '=', 'surgery')
        .where('visit.cost', '>', 1000),
  },
  {
    name: 'all columns of a joined table',
    build: (db) =>
      db
        .selectFrom('pet')
        .innerJoin('person', 'person.id', 'pet.owner_id')
        .selectAll('pet')
        .select(sql`first_name || ' ' || last_name`.as('owner'))
        .where('person.deleted_at', 'is', null)
        .where('pet.species', 'in', ['parrot', 'hamster'])
        .orderBy('pet.id'),
  },
  {
    name: 'pets without a toy (anti join)',
    build: (db) =>
      db
        .selectFrom('pet')
        .leftJoin('toy', 'toy.pet_id', 'pet.id')
        .select(['pet.id', 'pet.name'])
        .where('toy.id', 'is', null)
        .orderBy('pet.name')
        .orderBy('pet.id'),
  },
  {
    name: 'optional join by $if',
    build: (db) =>
      db
        .selectFrom('pet')
        .select(['pet.id', 'pet.name'])
        .$if(true, (query) =>
          query
            .innerJoin('person', 'person.id', 'pet.owner_id')
            .select('person.email')
            .where('person.is_active', '=', 1),
        )
        .orderBy('pet.id')
        .limit(50),
  },
]
