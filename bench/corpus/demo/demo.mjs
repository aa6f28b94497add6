import { queries } from '../../../examples/demo/queries.mjs'
import { createFlights } from './flights.mjs'

/** The demo's queries, over flights made here instead of its three million real ones. */
export const demo = Object.freeze({
  name: 'demo',
  about: "the demo's queries over flights",
  create: createFlights,
  queries,
})
