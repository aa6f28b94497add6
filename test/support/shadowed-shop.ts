import type { Kysely } from 'kysely'
import { expect } from 'vitest'
import { type HtapShadowConfig, htap, type ShadowMismatch } from '../../dist/dialect/index.js'
import { engineOf } from './engine-of.js'
import { openShop, type ShopDB } from './shop.js'

export function openShadowed(shadow: Partial<HtapShadowConfig> = {}, config = {}, sales = 20_000) {
  const mismatches: ShadowMismatch[] = []
  const shop = openShop(
    {
      shadow: { sampleRate: 1, onMismatch: (it) => mismatches.push(it), ...shadow },
      ...config,
    },
    sales,
  )
  return { ...shop, mismatches }
}

export async function statusOf(db: Kysely<ShopDB>) {
  const { shadow } = await htap(db).status()
  expect(shadow).not.toBeNull()
  return shadow!
}

/** Waits until no sample is on its way any more. */
export async function settled(db: Kysely<ShopDB>) {
  for (const deadline = Date.now() + 20_000; ; ) {
    const status = await statusOf(db)
    const skipped = Object.values(status.skipped).reduce((sum, count) => sum + count, 0)
    const { equal, moved, mismatched, unrepeated } = status
    if (equal + moved + mismatched + unrepeated + skipped === status.sampled) {
      return status
    }
    expect(Date.now()).toBeLessThan(deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Writes something into the copy that SQLite does not hold. */
export async function tamper(db: Kysely<ShopDB>, change: string): Promise<void> {
  const { store, tables } = engineOf(db)
  await store!.writer.execute(change.replace('sale', () => tables.findLive('sale')!.sqlName))
}

export const perDay = (db: Kysely<ShopDB>) =>
  db
    .selectFrom('sale')
    .groupBy('day')
    .select(['day', (eb) => eb.fn.sum<number>('amount').as('total')])
    .orderBy('day')
