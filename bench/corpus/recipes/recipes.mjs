import { aggregates } from './aggregates.mjs'
import { conditions } from './conditions.mjs'
import { createPets } from './generator.mjs'
import { joins } from './joins.mjs'
import { nested } from './nested.mjs'
import { pages } from './pages.mjs'
import { sets } from './sets.mjs'
import { subqueries } from './subqueries.mjs'
import { time } from './time.mjs'
import { windows } from './windows.mjs'

/** People, pets and visits to the vet: the shapes of Kysely's recipes and of everyday applications. */
export const recipes = Object.freeze({
  name: 'recipes',
  about: "the shapes of Kysely's recipes and of everyday applications",
  create: createPets,
  queries: Object.freeze([
    ...joins,
    ...aggregates,
    ...conditions,
    ...pages,
    ...time,
    ...windows,
    ...subqueries,
    ...sets,
    ...nested,
  ]),
})
