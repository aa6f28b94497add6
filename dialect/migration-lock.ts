import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { Turns } from '../src/core/turns.js'
import { FileLock } from '../src/oltp/file-lock.js'

/**
 * Keeps migrations of one database apart: those of this Kysely instance by a mutex, those of
 * everybody else, other processes included, by a lock on a file beside the database. The
 * operating system takes that lock back when its holder dies.
 */
export class MigrationLock {
  readonly #turns = new Turns()
  readonly #waitMs: number
  #fileLock: FileLock | null = null

  /** @param waitMs how long a migration waits for another one to end */
  constructor(waitMs: number = limits.migrationLockWaitMs) {
    this.#waitMs = waitMs
  }

  /** @throws HtapError `migration-lock-held` when another migration does not end in time */
  // biome-ignore lint/suspicious/noExplicitAny: the schema does not matter
  async acquire(db: Kysely<any>): Promise<void> {
    const signal = AbortSignal.timeout(this.#waitMs)
    await this.#turns.enter(signal).catch(refuse)
    try {
      const path = await databasePath(db)
      this.#fileLock = path === null ? null : await lockFile(`${path}-htap-migration`, signal)
    } catch (error) {
      this.#turns.leave()
      throw error
    }
  }

  async release(): Promise<void> {
    this.#fileLock?.release()
    this.#fileLock = null
    this.#turns.leave()
  }
}

async function lockFile(path: string, signal: AbortSignal): Promise<FileLock> {
  for (;;) {
    const lock = await FileLock.tryAcquire(path)
    if (lock !== null) {
      return lock
    }
    await sleep(limits.migrationLockPollMs)
    if (signal.aborted) {
      return refuse()
    }
  }
}

function refuse(): never {
  throw new HtapError('migration-lock-held', 'another migration of this database is running', {
    hint: 'wait for it to end and try again',
  })
}

// biome-ignore lint/suspicious/noExplicitAny: the schema does not matter
async function databasePath(db: Kysely<any>): Promise<string | null> {
  const { rows } = await sql<{ file: string | null }>`
    select file from pragma_database_list where name = 'main'
  `.execute(db)
  return rows[0]?.file || null
}
