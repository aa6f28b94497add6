import type { Kysely } from 'kysely'
import { upsertSet } from './model.js'
import { type Row, type Statement, tableKinds } from './operation.js'

export type Rows = Record<string, Record<string, unknown>>
export type Db = Kysely<Rows>

/** A statement of a script as Kysely's builder makes it. */
export function statementQuery(db: Db, statement: Statement) {
  const { table } = statement
  switch (statement.do) {
    case 'insert':
      return insertQuery(db, statement)
    case 'update':
      return whereEqual(db.updateTable(table).set({ ...statement.set }), statement.where)
    case 'delete':
      return whereEqual(db.deleteFrom(table), statement.where)
  }
}

function insertQuery(db: Db, { table, rows, conflict }: Statement & { readonly do: 'insert' }) {
  const insert = db.insertInto(table).values([...rows])
  switch (conflict) {
    case 'abort':
      return insert
    case 'ignore':
      return insert.orIgnore()
    case 'replace':
      return insert.orReplace()
    case 'update': {
      const { key, unique } = tableKinds[table]
      const target: readonly string[] = key.length === 0 ? [unique ?? ''] : key
      const columns = Object.keys(upsertSet(table, rows[0] ?? {}))
      return insert.onConflict((it) =>
        it
          .columns([...target])
          .doUpdateSet((eb) =>
            Object.fromEntries(columns.map((column) => [column, eb.ref(`excluded.${column}`)])),
          ),
      )
    }
  }
}

function whereEqual<Q extends { where(column: string, operator: '=', value: unknown): Q }>(
  query: Q,
  where: Row,
): Q {
  return Object.entries(where).reduce((it, [column, value]) => it.where(column, '=', value), query)
}
