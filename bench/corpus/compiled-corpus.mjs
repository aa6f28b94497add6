import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'

/** Compiles as Kysely does for SQLite, without a database. */
const compiler = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** The text and the parameters of every query of a corpus. */
export function compiledCorpus({ queries }) {
  return queries.map(({ name, build }) => {
    const { sql, parameters } = build(compiler).compile()
    return Object.freeze({ name, sql, parameters })
  })
}
