/** Inserts rows, each a list with the values of all columns, in one transaction. */
export function fillTable(database, table, rows) {
  const marks = rows[0].map(() => '?').join(', ')
  const insert = database.prepare(`insert into "${table}" values (${marks})`)
  database.transaction(() => {
    for (const row of rows) {
      insert.run(row)
    }
  })()
}
