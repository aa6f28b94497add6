import type { Kysely } from 'kysely'

/** One step of a migration, as every supported Kysely takes it. */
export interface Migration<DB> {
  up(db: Kysely<DB>): Promise<void>
  down?(db: Kysely<DB>): Promise<void>
}

interface MigratorProps<DB> {
  readonly db: Kysely<DB>
  readonly provider: { getMigrations(): Promise<Record<string, Migration<DB>>> }
}

interface Migrator {
  migrateToLatest(): Promise<{ readonly error?: unknown; readonly results?: readonly unknown[] }>
}

/** Kysely's migrator: Kysely 0.29 moved it from the root to an entry of its own. */
export async function createMigrator<DB>(props: MigratorProps<DB>): Promise<Migrator> {
  // Not a literal, which the types of Kysely 0.28 could not resolve.
  const entry: string = 'kysely/migration'
  const kysely = (await import(entry).catch(() => import('kysely'))) as unknown as {
    readonly Migrator: new (props: MigratorProps<DB>) => Migrator
  }
  return new kysely.Migrator(props)
}
