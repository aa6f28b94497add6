import type { DialectAdapter, Kysely, MigrationLockOptions } from 'kysely'
import { MigrationLock } from './migration-lock.js'

/**
 * What this dialect can do, and the lock that keeps two migrations apart.
 *
 * Extends no adapter of Kysely, because 0.28 does not know all properties of 0.29.
 */
export class HtapAdapter implements DialectAdapter {
  readonly #migrationLock = new MigrationLock()

  get supportsCreateIfNotExists(): boolean {
    return true
  }

  get supportsMultipleConnections(): boolean {
    return true
  }

  get supportsOutput(): boolean {
    return false
  }

  get supportsReturning(): boolean {
    return true
  }

  /** As Kysely's own adapter for SQLite: pragmas of a migration do nothing in a transaction. */
  get supportsTransactionalDdl(): boolean {
    return false
  }

  /** @throws HtapError `migration-lock-held` when another migration does not end in time */
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  async acquireMigrationLock(db: Kysely<any>, _options: MigrationLockOptions): Promise<void> {
    await this.#migrationLock.acquire(db)
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  async releaseMigrationLock(_db: Kysely<any>, _options: MigrationLockOptions): Promise<void> {
    await this.#migrationLock.release()
  }
}
