import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  SqliteQueryCompiler,
} from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import { checkMirrorConfig } from './check-mirror-config.js'
import { HtapAdapter } from './htap-adapter.js'
import type { HtapDialectConfig } from './htap-dialect-config.js'
import { HtapDriver } from './htap-driver.js'
import { HtapIntrospector } from './htap-introspector.js'
import { checkShadowConfig } from './htap-shadow-config.js'
import { createRouter } from './router/create-router.js'

/**
 * SQLite for writes, transactions and point reads, DuckDB for analytics, behind one Kysely.
 *
 * ### Examples
 *
 * ```ts
 * import { Kysely } from 'kysely'
 * import { HtapDialect } from 'kysely-htap'
 *
 * const db = new Kysely<DB>({
 *   dialect: new HtapDialect({ database: 'shop.db' }),
 * })
 * ```
 */
export class HtapDialect implements Dialect {
  readonly #config: HtapDialectConfig
  #unpairedDriver: HtapDriver | null = null

  /** @throws HtapError `config-invalid` */
  constructor(config: HtapDialectConfig) {
    // Callers in plain JavaScript get no help from the compiler.
    if (!config?.database) {
      throw new HtapError('config-invalid', '`database` is missing', {
        hint: 'give a better-sqlite3 Database, the path of a file or a factory',
      })
    }
    checkShadowConfig(config.shadow)
    checkMirrorConfig(config)
    this.#config = Object.freeze({ ...config })
  }

  createDriver(): Driver {
    this.#unpairedDriver = new HtapDriver(this.#config, createRouter)
    return this.#unpairedDriver
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    // Kysely creates driver and adapter of an instance in one go; the adapter is what `htap()` can
    // reach from the instance, so it carries the driver.
    const adapter = new HtapAdapter(this.#unpairedDriver)
    this.#unpairedDriver = null
    return adapter
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new HtapIntrospector(db)
  }
}
