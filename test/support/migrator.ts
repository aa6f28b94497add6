import type { Kysely } from 'kysely'

/** One step of a migration, as every supported Kysely takes it. */
export interface Migration {
  up(db: Kysely<never>): Promise<void>
  down?(db: Kysely<never>): Promise<void>
}

interface MigratorProps {
  readonly db: unknown
  readonly provider: { getMigrations(): Promise<Record<string, Migration>> }
}

interface Migrator {
  migrateToLatest(): Promise<{ readonly error?: unknown; readonly results?: readonly unknown[] }>
}

/** Kysely's migrator: Kysely 0.29 moved it from the root to an entry of its own. */
export async function createMigrator(props: MigratorProps): Promise<Migrator> {
  // Not a literal, which the types of Kysely 0.28 could not resolve.
  const entry: string = 'kysely/migration'
  const kysely = (await import(entry).catch(() => import('kysely'))) as unknown as {
    readonly Migrator: new (props: MigratorProps) => Migrator
  }
  return new kysely.Migrator(props)
}
