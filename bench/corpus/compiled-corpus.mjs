import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { createDatabase } from '../order-table.mjs'

/** Compiles as Kysely does for SQLite, without a database. */
const compiler = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/**
 * Creates the database of a corpus at a path, where nothing is yet, and gives the names of its
 * tables, and the text and the parameters of every query.
 */
export function compiledCorpus(corpus, path, { rows, isAnalyzed = false }) {
  return Object.freeze({
    tables: createTables(corpus, path, { rows, isAnalyzed }),
    queries: corpus.queries.map(({ name, build }) => {
      const { sql, parameters } = build(compiler).compile()
      return Object.freeze({ name, sql, parameters })
    }),
  })
}

function createTables(corpus, path, { rows, isAnalyzed }) {
  const database = createDatabase(path)
  try {
    corpus.create(database, { rows })
    if (isAnalyzed) {
      database.exec('analyze')
    }
    return database
      .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
      .pluck()
      .all()
  } finally {
    database.close()
  }
}
