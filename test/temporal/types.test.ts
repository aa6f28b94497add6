import type { Generated, Kysely, Transaction } from 'kysely'
import { expectTypeOf, it } from 'vitest'
import {
  asOf,
  asOfTable,
  type Change,
  changes,
  type Difference,
  type diff,
  history,
  restoreTable,
  withActor,
} from '../../dist/dialect/index.js'

// Nothing here runs: the compiler is the test.

interface DB {
  product: { id: Generated<number>; name: string; price: number | null }
  sale: { id: Generated<number>; product_id: number }
}

interface Product {
  id: number
  name: string
  price: number | null
}

const queries = {
  past: (db: Kysely<DB>) => asOf(db, new Date()).selectFrom('product').selectAll().execute(),
  pastOfOne: (db: Kysely<DB>) =>
    asOf(db.selectFrom('sale').select('id'), { position: 1 }).execute(),
  joined: (db: Kysely<DB>) =>
    db
      .selectFrom('product as now')
      .innerJoin(asOfTable(db, 'product', '2026-01-01').as('then'), 'then.id', 'now.id')
      .select(['now.id', 'then.price as before'])
      .execute(),
  versions: (db: Kysely<DB>) =>
    history(db, { between: ['2026-01-01', new Date()], deleted: true })
      .selectFrom('product')
      .innerJoin('sale', 'sale.product_id', 'product.id')
      .select([
        'product.id',
        'price',
        'product.valid_from',
        'product.valid_to',
        'product.operation',
      ])
      .execute(),
  renamed: (db: Kysely<DB>) =>
    history<DB, { since: number }>(db).selectFrom('product').select(['name', 'since']).execute(),
  inTransaction: (trx: Transaction<DB>) =>
    restoreTable(trx, 'product', { to: 'x', where: { id: 1 } }),
  acted: (db: Kysely<DB>) => withActor(db, { actor: 'ada' }, async (trx) => trx.isTransaction),
}

type Answer<K extends keyof typeof queries> = Awaited<ReturnType<(typeof queries)[K]>>

it('gives every query of the past its types', () => {
  expectTypeOf<Answer<'past'>>().toEqualTypeOf<Product[]>()
  expectTypeOf<Answer<'pastOfOne'>>().toEqualTypeOf<{ id: number }[]>()
  expectTypeOf<Answer<'joined'>>().toEqualTypeOf<{ id: number; before: number | null }[]>()
  expectTypeOf<Answer<'versions'>>().toEqualTypeOf<
    {
      id: number
      price: number | null
      valid_from: number
      valid_to: number | null
      operation: 'I' | 'U' | 'D'
    }[]
  >()
  expectTypeOf<Answer<'renamed'>>().toEqualTypeOf<{ name: string; since: number }[]>()
  expectTypeOf<Answer<'inTransaction'>['inserted']>().toEqualTypeOf<number>()
  expectTypeOf<Answer<'acted'>>().toEqualTypeOf<true>()
  type Changes = ReturnType<typeof changes<DB, 'product'>>
  expectTypeOf<Changes>().toEqualTypeOf<AsyncGenerator<Change<Product>, void, void>>()
  type Differences = ReturnType<typeof diff<DB, 'product'>>
  expectTypeOf<Differences>().toEqualTypeOf<AsyncGenerator<Difference<Product>, void, void>>()
})

it('refuses what is none', () => {
  const db = null as unknown as Kysely<DB>
  const refused = () => {
    // @ts-expect-error a table that is not in the schema
    asOfTable(db, 'nothing', new Date())
    // @ts-expect-error a number is no moment
    asOf(db, 5)
    // @ts-expect-error a column that is not in the table
    changes(db, 'product', { where: { colour: 'red' } })
  }
  expectTypeOf(refused).toBeFunction()
})
