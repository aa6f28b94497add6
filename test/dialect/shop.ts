import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Generated, Kysely, type KyselyConfig } from 'kysely'
import { onTestFinished } from 'vitest'
import { HtapDialect, type HtapDialectConfig } from '../../dist/dialect/index.js'

export interface Shop {
  item: { id: Generated<number>; name: string; price: number }
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function temporaryFile(): string {
  return join(temporaryFolder(), 'shop.db')
}

/** A Kysely that is destroyed after the test. */
export function openShop(
  config: HtapDialectConfig,
  options: Omit<KyselyConfig, 'dialect'> = {},
): Kysely<Shop> {
  const db = new Kysely<Shop>({ dialect: new HtapDialect(config), ...options })
  onTestFinished(() => db.destroy())
  return db
}

export async function createItems(db: Kysely<Shop>, count = 0): Promise<void> {
  await db.schema
    .createTable('item')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('price', 'real', (column) => column.notNull())
    .execute()
  const rows = Array.from({ length: count }, (_, i) => ({ name: `item ${i + 1}`, price: i }))
  for (let i = 0; i < rows.length; i += 1000) {
    await db
      .insertInto('item')
      .values(rows.slice(i, i + 1000))
      .execute()
  }
}
