import { sql } from 'kysely'

/** What a line costs after its discount. */
export const revenue = sql`l_extendedprice * (1 - l_discount)`

/** The year of an ISO date. */
export const yearOf = (column) => sql`strftime('%Y', ${sql.ref(column)})`

/** A constant date, moved by SQLite's own arithmetic. */
export const shifted = (day, modifier) => sql`date(${day}, ${modifier})`
