import type { DialectAdapter, Kysely } from 'kysely'
import type { HtapDriver } from './htap-driver.js'
import { MigrationLock } from './migration-lock.js'

/**
 * What this dialect can do, and the lock that keeps two migrations apart. Not a subclass of
 * Kysely's SQLite adapter: 0.28 does not know `supportsMultipleConnections`, 0.29 does, and no one
 * source can override it in both.
 */
export class HtapAdapter implements DialectAdapter {
  readonly supportsCreateIfNotExists = true
  /** Foreign key pragmas do nothing inside a transaction, so Kysely must not wrap migrations. */
  readonly supportsTransactionalDdl = false
  readonly supportsReturning = true
  readonly supportsOutput = false
  /** Reads pass by a writer; the driver guards the one connection that writes. */
  readonly supportsMultipleConnections = true
  /** @internal the driver of the same Kysely instance */
  readonly driver: HtapDriver | null
  readonly #migrationLock = new MigrationLock()

  constructor(driver: HtapDriver | null = null) {
    this.driver = driver
  }

  /** @throws HtapError `migration-lock-held` when another migration does not end in time */
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  async acquireMigrationLock(db: Kysely<any>): Promise<void> {
    await this.#migrationLock.acquire(db)
  }

  async releaseMigrationLock(): Promise<void> {
    await this.#migrationLock.release()
  }
}
