import { commonTableSelect, compoundSelect, recursiveSelect, valuesSelect } from './compounds.js'
import { QueryWriter, type RandomQuery } from './query-writer.js'
import type { Random } from './random.js'
import type { RandomTable } from './random-schema.js'
import {
  computedSelect,
  distinctSelect,
  groupedSelect,
  plainSelect,
  windowedSelect,
} from './statements.js'

/** A SELECT of the sort that applications and query builders write, over a random schema. */
export function randomQuery(random: Random, tables: readonly RandomTable[]): RandomQuery {
  const writer = new QueryWriter(random, tables)
  const sql = writer.choose([
    [4, () => plainSelect(writer)],
    [5, () => groupedSelect(writer)],
    [3, () => windowedSelect(writer)],
    [1.5, () => compoundSelect(writer)],
    [1.5, () => commonTableSelect(writer)],
    [1.5, () => distinctSelect(writer)],
    [1.5, () => computedSelect(writer)],
    [0.4, () => recursiveSelect(writer)],
    [0.1, () => valuesSelect(writer)],
  ])
  return writer.finish(sql)
}
