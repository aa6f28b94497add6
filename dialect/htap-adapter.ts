import { type Kysely, type MigrationLockOptions, SqliteAdapter } from 'kysely'
import type { HtapDriver } from './htap-driver.js'
import { MigrationLock } from './migration-lock.js'

/** What this dialect can do, and the lock that keeps two migrations apart. */
export class HtapAdapter extends SqliteAdapter {
  /** @internal the driver of the same Kysely instance */
  readonly driver: HtapDriver | null
  readonly #migrationLock = new MigrationLock()

  constructor(driver: HtapDriver | null = null) {
    super()
    this.driver = driver
  }

  // No `override`: Kysely 0.28 does not know this property.
  get supportsMultipleConnections(): boolean {
    return true
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  override async acquireMigrationLock(db: Kysely<any>, _options: MigrationLockOptions) {
    await this.#migrationLock.acquire(db)
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  override async releaseMigrationLock(_db: Kysely<any>, _options: MigrationLockOptions) {
    await this.#migrationLock.release()
  }
}
