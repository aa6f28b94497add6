import * as fs from 'node:fs'
import { through } from '../core/outside-world.js'

/**
 * Keeps a column store's files as closed to others as the file that they are copied from. DuckDB
 * creates them with the permissions of the process, and its write-ahead log anew after every
 * checkpoint; but it writes into one that is there, so one is made before each write that lacks it.
 */
export class StoreFiles {
  readonly #path: string
  readonly #mode: number

  /** @param mode permission bits, as of `stat`; null leaves everything to DuckDB */
  static of(path: string, mode: number | null): StoreFiles | null {
    return path === ':memory:' || mode === null ? null : new StoreFiles(path, mode & 0o666)
  }

  private constructor(path: string, mode: number) {
    this.#path = path
    this.#mode = mode
  }

  /** Before the store opens: the folder for what does not fit into memory. */
  beforeOpening(tempDirectory: string | null): void {
    if (tempDirectory !== null) {
      through('files', fs).mkdirSync(tempDirectory, { recursive: true, mode: 0o700 })
      // Who may read a folder's files must be able to enter it.
      this.#protect(tempDirectory, 0o700 | this.#mode | ((this.#mode & 0o444) >> 2))
    }
  }

  /** After the store has opened; a new one has nothing in it yet. */
  afterOpening(): void {
    this.#protect(this.#path, this.#mode)
    this.beforeWriting()
  }

  beforeWriting(): void {
    const files = through('files', fs)
    const log = `${this.#path}.wal`
    if (!files.existsSync(log)) {
      files.closeSync(files.openSync(log, 'a', this.#mode))
      this.#protect(log, this.#mode)
    }
  }

  /** @throws Error of the file system when the file stays open to others than it may be */
  #protect(path: string, mode: number): void {
    const files = through('files', fs)
    const found = files.statSync(path).mode & 0o777
    if (found !== mode) {
      try {
        files.chmodSync(path, mode)
      } catch (error) {
        // Somebody else's file, which we may use.
        if ((found & ~mode) !== 0) {
          throw error
        }
      }
    }
  }
}
