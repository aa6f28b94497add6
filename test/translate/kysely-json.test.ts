import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

interface Tables {
  person: { id: number; name: string; email: string | null; age: number | null; settings: string }
  pet: { id: number; owner_id: number | null; name: string; weight: number }
}

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const queries: Readonly<Record<string, { compile(): CompiledQuery }>> = {
  'an object of columns and expressions': db
    .selectFrom('person')
    .select(({ ref, eb }) => [
      'id',
      jsonBuildObject({
        name: ref('name'),
        email: ref('email'),
        age: ref('age'),
        adult: eb('age', '>=', 18),
        greeting: sql<string>`'hello "' || name || '"'`,
        limit: eb.val(18),
      }).as('person'),
    ])
    .orderBy('id'),
  'an object in an object': db
    .selectFrom('pet')
    .innerJoin('person', 'person.id', 'pet.owner_id')
    .select(({ ref }) =>
      jsonBuildObject({
        pet: ref('pet.name'),
        weight: ref('weight'),
        owner: jsonBuildObject({ id: ref('person.id'), name: ref('person.name') }),
      }).as('pet'),
    )
    .orderBy('pet.id'),
  'an object of aggregates': db
    .selectFrom('pet')
    .select(({ fn }) => [
      'owner_id',
      jsonBuildObject({
        pets: fn.countAll(),
        heaviest: fn.max('weight'),
        first: fn.min('name'),
      }).as('pets'),
    ])
    .groupBy('owner_id')
    .orderBy('owner_id'),
  'the object of a relation': db
    .selectFrom('pet')
    .select((eb) => [
      'pet.id',
      jsonObjectFrom(
        eb
          .selectFrom('person')
          .select(['person.id', 'person.name as owner_name', 'person.age'])
          .whereRef('person.id', '=', 'pet.owner_id'),
      ).as('owner'),
    ])
    .orderBy('pet.id'),
  // SQLite takes the inner object for a string, because it has gone through a derived table.
  'a relation of a relation': db
    .selectFrom('pet')
    .select((eb) => [
      'pet.id',
      jsonObjectFrom(
        eb
          .selectFrom('person')
          .select((inner) => [
            'person.name',
            jsonBuildObject({ age: inner.ref('person.age') }).as('more'),
          ])
          .whereRef('person.id', '=', 'pet.owner_id'),
      ).as('owner'),
    ])
    .orderBy('pet.id'),
  'a part of a stored document': db
    .selectFrom('person')
    .select((eb) => [
      'id',
      sql<string>`settings -> '$.theme'`.as('theme'),
      eb.fn<number>('json_array_length', ['settings', sql.lit('$.tags')]).as('tags'),
    ])
    .orderBy('id'),
}

let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
  engines.db.exec(`
    create table person (id integer primary key, name text not null, email text, age integer,
      settings text not null);
    create table pet (id integer primary key, owner_id integer references person, name text not null,
      weight real not null);`)
  const random = new Random(3)
  const person = engines.db.prepare('insert into person values (?, ?, ?, ?, ?)')
  const pet = engines.db.prepare('insert into pet values (?, ?, ?, ?)')
  const name = () => random.pick(['Anna', 'Ján', 'O"Neil', 'back\\slash', '日本', 'two\nlines', ''])
  for (let id = 1; id <= 30; id += 1) {
    const settings = { theme: random.pick(['dark', null, { hue: 0.5 }]), tags: ['a', name()] }
    const email = random.chance(0.5) ? null : `${id}@example.org`
    const age = random.chance(0.2) ? null : random.integer(10, 60)
    person.run(id, name(), email, age, JSON.stringify(settings))
  }
  for (let id = 1; id <= 60; id += 1) {
    const owner = random.chance(0.1) ? null : random.integer(1, 30)
    pet.run(id, owner, name(), random.integer(1, 400) / 10)
  }
  await engines.copy(random)
})

afterAll(() => engines.close())

test.each(Object.entries(queries))('%s', async (_, query) => {
  const compiled = query.compile()
  const outcome = await engines.check(compiled.sql, compiled.parameters)
  expect(outcome, compiled.sql).toMatchObject({ kind: 'same' })
})

test('an object of a relation in an object stays where SQLite knows what is JSON', async () => {
  const query = db
    .selectFrom('pet')
    .select((eb) => [
      'pet.id',
      jsonBuildObject({
        name: eb.ref('pet.name'),
        owner: jsonObjectFrom(
          eb
            .selectFrom('person')
            .select(['person.name'])
            .whereRef('person.id', '=', 'pet.owner_id'),
        ),
      }).as('pet'),
    ])
    .orderBy('pet.id')
  const { sql: text, parameters } = query.compile()
  expect(await engines.check(text, parameters)).toMatchObject({ kind: 'kept' })
})
