import Database from 'better-sqlite3'

/** Eight columns of an ordinary table, as the bounds are meant for. */
export const orderColumns = `
  id integer primary key, customer_id integer not null, product_id integer not null,
  amount integer not null, price real not null, status text not null, created_at text not null,
  note text`

const seed = `
  insert into orders
  with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
  select i, i * 7919 % 50000, i * 104729 % 2000, i % 1000, (i % 9973) / 8.0,
    'status ' || (i % 5), '2024-01-' || (10 + i % 20), 'a note about order ' || i
  from n`

/** Opens a new WAL database as the dialect would. */
export function createDatabase(path) {
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = normal')
  return database
}

/** A database with a table `orders` of so many rows. */
export function createOrders(path, rows) {
  const database = createDatabase(path)
  database.exec(`create table orders (${orderColumns})`)
  database.prepare(seed).run(rows)
  database.pragma('wal_checkpoint(truncate)')
  return database
}
