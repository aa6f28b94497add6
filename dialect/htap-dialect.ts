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
import { HtapAdapter } from './htap-adapter.js'
import type { HtapDialectConfig } from './htap-dialect-config.js'
import { HtapDriver } from './htap-driver.js'
import { HtapIntrospector } from './htap-introspector.js'

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

  /** @throws HtapError `config-invalid` */
  constructor(config: HtapDialectConfig) {
    // Callers in plain JavaScript get no help from the compiler.
    if (!config?.database) {
      throw new HtapError('config-invalid', '`database` is missing', {
        hint: 'give a better-sqlite3 Database, the path of a file or a factory',
      })
    }
    this.#config = Object.freeze({ ...config })
  }

  createDriver(): Driver {
    return new HtapDriver(this.#config)
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new HtapAdapter()
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new HtapIntrospector(db)
  }
}
