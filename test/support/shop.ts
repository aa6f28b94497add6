import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Generated, Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  olap,
  type RouteEvent,
} from '../../dist/dialect/index.js'
import { tempFolder } from './temp-folder.js'

export interface ShopDB {
  person: { id: Generated<number>; name: string; city: string | null }
  sale: { id: Generated<number>; person_id: number; amount: number; day: string }
}

export interface Shop {
  readonly db: Kysely<ShopDB>
  readonly database: Database.Database
  readonly events: RouteEvent[]
}

/** A database with people and sales, opened by this dialect; large enough for DuckDB to win. */
export function openShop(config: Partial<HtapDialectConfig> = {}, sales = 20_000): Shop {
  const path = join(tempFolder(), 'shop.db')
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  fillShop(database, sales)
  const events: RouteEvent[] = []
  const dialect = new HtapDialect({ database, onRoute: (event) => events.push(event), ...config })
  const db = new Kysely<ShopDB>({ dialect })
  onTestFinished(() => db.destroy())
  return { db, database, events }
}

export function fillShop(database: Database.Database, sales: number): void {
  database.exec(`
    create table person(id integer primary key, name text not null, city text);
    create table sale(id integer primary key, person_id integer not null, amount real not null, day text not null);
    insert into person with recursive s(v) as (select 1 union all select v + 1 from s where v < 200)
      select v, 'name ' || v, case when v % 9 = 0 then null else 'city ' || (v % 10) end from s;
    insert into sale with recursive s(v) as (select 1 union all select v + 1 from s where v < ${sales})
      select v, 1 + (v * 7919) % 200, ((v * 31) % 10000) / 100.0, '2024-0' || (1 + v % 9) || '-11' from s;
    create index sale_person on sale(person_id)`)
}

export function totals(db: Kysely<ShopDB>) {
  return db
    .selectFrom('sale')
    .select((eb) => [eb.fn.sum<number>('amount').as('total'), eb.fn.countAll<number>().as('n')])
}

/** Waits until DuckDB answers for these tables. */
export async function untilMirrored(
  db: Kysely<ShopDB>,
  ...tables: (keyof ShopDB)[]
): Promise<void> {
  for (const table of tables) {
    const deadline = Date.now() + 20_000
    const count = olap(db.selectFrom(table).select((eb) => eb.fn.countAll().as('n')))
    for (;;) {
      try {
        await count.execute()
        break
      } catch (error) {
        if (Date.now() > deadline) {
          throw error
        }
      }
    }
  }
}
