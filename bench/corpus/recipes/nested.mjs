import { sql } from 'kysely'
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/sqlite'

const petsOf = (eb) =>
  eb
    .selectFrom('pet')
    .select(['pet.id', 'pet.name', 'pet.weight'])
    .whereRef('pet.owner_id', '=', 'person.id')
    .orderBy('pet.id')

export const nested = [
  {
    name: 'people with their pets (jsonArrayFrom)',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => ['person.id', 'person.first_name', jsonArrayFrom(petsOf(eb)).as('pets')])
        .orderBy('person.id')
        .limit(100),
  },
  {
    name: 'visits with their pet (jsonObjectFrom)',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'visit.id',
          'visit.cost',
          jsonObjectFrom(
            eb
              .selectFrom('pet')
              .select(['pet.id', 'pet.name', 'pet.is_vaccinated'])
              .whereRef('pet.id', '=', 'visit.pet_id'),
          ).as('pet'),
        ])
        .where('visit.reason', '=', 'surgery')
        .orderBy('visit.id')
        .limit(100),
  },
  {
    name: 'a name as an object (jsonBuildObject)',
    build: (db) =>
      db
        .selectFrom('person')
        .innerJoin('pet', 'pet.owner_id', 'person.id')
        .select((eb) => [
          'pet.id',
          jsonBuildObject({
            first: eb.ref('first_name'),
            middle: eb.ref('middle_name'),
            full: sql`first_name || ' ' || last_name`,
          }).as('owner'),
        ])
        .orderBy('pet.id')
        .limit(100),
  },
  {
    name: 'two levels: people, pets, toys',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          'person.id',
          jsonArrayFrom(
            petsOf(eb).select((inner) =>
              jsonArrayFrom(
                inner
                  .selectFrom('toy')
                  .select(['toy.name', 'toy.price'])
                  .whereRef('toy.pet_id', '=', 'pet.id')
                  .orderBy('toy.price')
                  .orderBy('toy.id'),
              ).as('toys'),
            ),
          ).as('pets'),
        ])
        .where('person.deleted_at', 'is', null)
        .orderBy('person.id')
        .limit(50),
  },
  {
    name: 'names as a JSON array (json_group_array)',
    build: (db) =>
      db
        .selectFrom('pet')
        .select((eb) => [
          'species',
          eb.fn.agg('json_group_array', ['name']).distinct().as('names'),
          sql`json_group_array(id order by id)`.as('ids'),
        ])
        .where('owner_id', '<', 40)
        .groupBy('species')
        .orderBy('species'),
  },
  {
    name: 'counts as a JSON object (json_group_object)',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('pet')
            .select((inner) => ['owner_id', 'species', inner.fn.countAll().as('pets')])
            .groupBy(['owner_id', 'species'])
            .as('counted'),
        )
        .select(['owner_id', sql`json_group_object(species, pets)`.as('pets')])
        .groupBy('owner_id')
        .orderBy('owner_id'),
  },
  {
    name: 'fields of a JSON column',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          sql`profile ->> '$.city'`.as('city'),
          eb.fn.avg(sql`json_extract(profile, '$.score')`).as('score'),
          eb.fn.countAll().as('people'),
        ])
        .where(sql`json_extract(profile, '$.newsletter')`, '=', 1)
        .groupBy('city')
        .orderBy('city'),
  },
  {
    name: 'rows of a JSON array (json_each)',
    build: (db) =>
      db
        .selectFrom(['visit', sql`json_each(visit.tags)`.as('tag')])
        .select((eb) => [sql`tag.value`.as('tag'), eb.fn.countAll().as('visits')])
        .groupBy('tag.value')
        .orderBy('visits', 'desc'),
  },
]
