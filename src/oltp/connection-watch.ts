import type { SqliteDatabase } from './sqlite-database.js'

/**
 * Counts the calls by which an application changes a connection in ways that SQLite does not
 * report: integers as bigint, functions, aggregates, table functions, extensions. To see them
 * it puts itself over these methods on the one instance, and takes itself off again when the
 * last user is gone.
 */
export class ConnectionWatch {
  static #watches = new WeakMap<SqliteDatabase, ConnectionWatch>()

  /** The instance lets nothing be put over its methods, so anything may change unseen. */
  readonly isBlind: boolean
  readonly #database: SqliteDatabase
  readonly #listeners = new Set<() => void>()
  #changes = 0

  private constructor(database: SqliteDatabase) {
    this.#database = database
    this.isBlind = !Object.isExtensible(database)
  }

  /** The watch of a database; the same for everybody. */
  static of(database: SqliteDatabase): ConnectionWatch {
    let watch = ConnectionWatch.#watches.get(database)
    if (watch === undefined) {
      watch = new ConnectionWatch(database)
      ConnectionWatch.#watches.set(database, watch)
    }
    return watch
  }

  /** Grows with each change. */
  get changes(): number {
    return this.#changes
  }

  /** @returns ends the watching */
  listen(listener: () => void): () => void {
    if (this.#listeners.size === 0 && !this.isBlind) {
      this.#cover()
    }
    this.#listeners.add(listener)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0 && !this.isBlind) {
        this.#uncover()
      }
    }
  }

  #cover(): void {
    for (const name of watched) {
      const original: unknown = Reflect.get(this.#database, name)
      if (typeof original !== 'function') {
        continue
      }
      const covering = (...parameters: unknown[]): unknown => {
        try {
          return Reflect.apply(original, this.#database, parameters)
        } finally {
          this.#noteChange()
        }
      }
      Object.defineProperty(this.#database, name, {
        value: covering,
        configurable: true,
        enumerable: false,
        writable: true,
      })
    }
  }

  #uncover(): void {
    for (const name of watched) {
      Reflect.deleteProperty(this.#database, name)
    }
  }

  #noteChange(): void {
    this.#changes += 1
    for (const listener of this.#listeners) {
      listener()
    }
  }
}

/** Methods of better-sqlite3's prototype, so taking the cover off brings them back. */
const watched = ['defaultSafeIntegers', 'function', 'aggregate', 'table', 'loadExtension']
