import type { CompiledQuery } from 'kysely'
import { readConnectionTraits } from '../../src/oltp/connection-traits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { QueryHint } from '../hints.js'
import { findObstacle, understand } from './analytic-shape.js'
import { type KeptQuery, kept } from './candidate.js'
import { parameterTypes } from './parameters.js'
import { PendingQuery } from './pending-query.js'
import type { QueryShape } from './query-shape.js'
import type { SchemaFacts } from './schema-facts.js'
import { expandViews } from './view-expansion.js'

interface QueryIntakeProps {
  /** The writer's connection. */
  readonly database: SqliteDatabase
  readonly facts: SchemaFacts
  /** SQLite's number of the schema that everybody sees; null where a transaction hides it. */
  readonly committedSchema: () => number | null
}

/** Asks SQLite about a query: what needs no copy to be known. */
export class QueryIntake {
  readonly #props: QueryIntakeProps

  constructor(props: QueryIntakeProps) {
    this.#props = props
  }

  take(
    query: CompiledQuery,
    shape: QueryShape,
    hint: QueryHint | undefined,
  ): PendingQuery | KeptQuery {
    const { database, facts, committedSchema } = this.#props
    const analytic = understand(query, shape, hint)
    if (analytic.kind === 'kept') {
      return analytic
    }
    const types = parameterTypes(query.parameters)
    if (types === null || types.length !== analytic.parsed.parameterCount) {
      return kept('parameters that SQLite refuses', false)
    }
    if (!facts.refresh(database, committedSchema)) {
      return kept('a transaction changes the schema')
    }
    const statement = facts.statement(database, query.sql)
    if (statement === null || !statement.isRead) {
      return kept('SQLite does not read it as a query', false)
    }
    const traits = readConnectionTraits(database)
    const { tables, views } = expandViews(analytic.parsed.summary, (name) =>
      facts.view(database, name),
    )
    const obstacle = findObstacle(analytic, views, traits)
    return obstacle !== null
      ? kept(obstacle)
      : new PendingQuery({
          query,
          shape: analytic,
          facts: statement,
          traits,
          types,
          database,
          tableNames: tables,
          schemaVersion: facts.version,
        })
  }
}
