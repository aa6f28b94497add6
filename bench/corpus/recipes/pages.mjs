import { sql } from 'kysely'

const search = 'An'

export const pages = [
  {
    name: 'page of people with their number of pets',
    build: (db) =>
      db
        .selectFrom('person')
        .leftJoin('pet', 'pet.owner_id', 'person.id')
        .select((eb) => [
          'person.id',
          'person.first_name',
          'person.created_at',
          eb.fn.count('pet.id').as('pets'),
        ])
        .where('person.deleted_at', 'is', null)
        .groupBy('person.id')
        .orderBy('person.created_at', 'desc')
        .orderBy('person.id', 'desc')
        .limit(20)
        .offset(40),
  },
  {
    name: 'total of a page',
    build: (db) =>
      db
        .selectFrom('person')
        .leftJoin('pet', 'pet.owner_id', 'person.id')
        .select((eb) => eb.fn.count('person.id').distinct().as('total'))
        .where('person.deleted_at', 'is', null),
  },
  {
    name: 'page with the total beside each row',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => ['id', 'visited_at', 'cost', eb.fn.countAll().over().as('total')])
        .where('reason', '=', 'dental')
        .orderBy('visited_at', 'desc')
        .orderBy('id')
        .limit(10)
        .offset(10),
  },
  {
    name: 'page after a key',
    build: (db) =>
      db
        .selectFrom('visit')
        .innerJoin('pet', 'pet.id', 'visit.pet_id')
        .select(['visit.id', 'visit.visited_at', 'pet.name'])
        .where((eb) =>
          eb(
            eb.refTuple('visit.visited_at', 'visit.id'),
            '<',
            eb.tuple('2023-06-01 00:00:00', 1000),
          ),
        )
        .orderBy('visit.visited_at', 'desc')
        .orderBy('visit.id', 'desc')
        .limit(25),
  },
  {
    name: 'search in several columns',
    build: (db) =>
      db
        .selectFrom('person')
        .leftJoin('pet', 'pet.owner_id', 'person.id')
        .select(['person.id', 'person.first_name', 'person.last_name', 'pet.name'])
        .where((eb) =>
          eb.or([
            eb('person.first_name', 'like', `%${search}%`),
            eb('person.last_name', 'like', `%${search}%`),
            eb('pet.name', 'like', `${search}%`),
          ]),
        )
        .orderBy('person.last_name')
        .orderBy('person.id')
        .orderBy('pet.id')
        .limit(50),
  },
  {
    name: 'search without regard to case',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [eb.fn('lower', ['last_name']).as('name'), eb.fn.countAll().as('people')])
        .where(sql`lower(first_name || ' ' || last_name)`, 'like', sql`lower(${'%AN%'})`)
        .groupBy('name')
        .orderBy('name'),
  },
  {
    name: 'search for a literal percent sign',
    build: (db) =>
      db
        .selectFrom('toy')
        .innerJoin('pet', 'pet.id', 'toy.pet_id')
        .select(['toy.id', 'toy.name', 'pet.name as pet'])
        .where(sql`toy.name like ${'%50\\%%'} escape '\\'`)
        .orderBy('toy.id')
        .limit(20),
  },
  {
    name: 'choices of a filter with counts',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          sql`json_extract(profile, '$.city')`.as('city'),
          eb.fn.countAll().as('people'),
        ])
        .groupBy('city')
        .orderBy('people', 'desc')
        .orderBy('city'),
  },
  {
    name: 'distinct values',
    build: (db) =>
      db.selectFrom('person').select(['last_name', 'gender']).distinct().orderBy('last_name'),
  },
  {
    name: 'sorting with nulls last and by computed keys',
    build: (db) =>
      db
        .selectFrom('pet')
        .innerJoin('person', 'person.id', 'pet.owner_id')
        .select(['pet.id', 'pet.name', 'pet.weight'])
        .orderBy('pet.weight', (order) => order.desc().nullsLast())
        .orderBy(sql`length(pet.name)`)
        .orderBy('pet.id')
        .limit(60),
  },
  {
    name: 'newest rows of a table',
    build: (db) =>
      db
        .selectFrom('person')
        .select(['id', 'email', 'created_at'])
        .orderBy('created_at', 'desc')
        .limit(10),
  },
]
