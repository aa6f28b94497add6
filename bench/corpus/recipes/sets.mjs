import { sql } from 'kysely'

export const sets = [
  {
    name: 'union',
    build: (db) =>
      db
        .selectFrom('person')
        .select(['first_name as name'])
        .union(db.selectFrom('pet').select('name'))
        .orderBy('name'),
  },
  {
    name: 'union all of events',
    build: (db) =>
      db
        .selectFrom('person')
        .select([sql.lit('sign-up').as('event'), 'id', 'created_at as at'])
        .unionAll(
          db.selectFrom('visit').select([sql.lit('visit').as('event'), 'id', 'visited_at as at']),
        )
        .orderBy('at', 'desc')
        .orderBy('event')
        .orderBy('id')
        .limit(100),
  },
  {
    name: 'intersect',
    build: (db) =>
      db
        .selectFrom('visit')
        .select('pet_id')
        .where('reason', '=', 'injury')
        .intersect(db.selectFrom('visit').select('pet_id').where('reason', '=', 'surgery')),
  },
  {
    name: 'except',
    build: (db) =>
      db
        .selectFrom('pet')
        .select('id')
        .except(db.selectFrom('toy').select('pet_id as id'))
        .orderBy('id'),
  },
  {
    name: 'counts of several tables in one row set',
    build: (db) =>
      ['person', 'pet', 'toy', 'visit']
        .map((table) =>
          db
            .selectFrom(table)
            .select((eb) => [sql.lit(table).as('table'), eb.fn.countAll().as('rows')]),
        )
        .reduce((all, one) => all.unionAll(one)),
  },
  {
    name: 'counts of several tables in one row',
    build: (db) =>
      db.selectNoFrom((eb) =>
        ['person', 'pet', 'toy'].map((table) =>
          eb
            .selectFrom(table)
            .select((inner) => inner.fn.countAll().as('count'))
            .as(table),
        ),
      ),
  },
  {
    name: 'aggregate over a union',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('toy')
            .select(['pet_id', 'price as amount'])
            .unionAll(eb.selectFrom('visit').select(['pet_id', 'cost as amount']))
            .as('expense'),
        )
        .innerJoin('pet', 'pet.id', 'expense.pet_id')
        .select((eb) => ['pet.owner_id', eb.fn.sum('expense.amount').as('spent')])
        .groupBy('pet.owner_id')
        .orderBy('spent', 'desc')
        .orderBy('pet.owner_id')
        .limit(10),
  },
]
