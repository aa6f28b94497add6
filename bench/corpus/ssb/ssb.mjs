import { createSsb } from './generator.mjs'
import { queries } from './queries.mjs'

/** A star of facts and dimensions: the 13 questions of the Star Schema Benchmark. */
export const ssb = Object.freeze({
  name: 'ssb',
  about: 'the 13 questions of the Star Schema Benchmark',
  create: createSsb,
  queries: Object.freeze(queries),
})
