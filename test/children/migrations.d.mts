import type { Kysely } from 'kysely'

// biome-ignore lint/suspicious/noExplicitAny: a migration knows no schema
type Migration = { up(db: Kysely<any>): Promise<void> }

export const migrations: Record<string, Migration>
export const failing: Migration
