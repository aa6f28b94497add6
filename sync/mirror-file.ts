import * as files from 'node:fs/promises'
import { HtapError } from '../src/core/htap-error.js'
import { messageOf } from '../src/core/message-of.js'
import { through, wallClockMs } from '../src/core/outside-world.js'
import { packageVersion } from '../src/core/version.js'

/** A mirror's file that could not be used, and was put out of the way of a new one. */
export interface SetAsideReport {
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** What was wrong with it. */
  readonly cause: unknown
  /** Where it is kept, with a report in JSON beside it; null where it could not be kept. */
  readonly keptAs: string | null
}

/**
 * The file of a mirror, seen from outside: derived data, which may be put aside at any time. One
 * that was put aside is kept for whoever wants to know why, until the next one takes its place, so
 * that a disk that damages files is not filled up with them.
 *
 * While the file is being opened a mark stands beside it. Who finds a mark knows that the process
 * before died in that very moment; should it have been the file that killed it, nobody else
 * is to try it. The caller holds the mirror's lock.
 */
export class MirrorFile {
  readonly #path: string
  readonly #mark: string

  constructor(path: string) {
    this.#path = path
    this.#mark = `${path}.opening`
  }

  /** Notes that the file is about to be opened; true if the last one who did so never came back. */
  async beginOpening(): Promise<boolean> {
    const { writeFile } = through('files', files)
    try {
      await writeFile(this.#mark, '', { flag: 'wx' })
      return false
    } catch (error) {
      // Where no mark can be left, the store will say why it cannot be opened.
      return (error as { readonly code?: unknown }).code === 'EEXIST'
    }
  }

  async endOpening(): Promise<void> {
    await this.#remove(this.#mark)
  }

  /**
   * Puts the file and its write-ahead log aside.
   *
   * @throws HtapError `mirror-unavailable` when it is a folder or a SQLite database, which the path
   * names by mistake
   */
  async setAside(cause: unknown): Promise<SetAsideReport> {
    if (await this.#isPrecious()) {
      throw new HtapError('mirror-unavailable', `${this.#path} is not a copy of anything`, {
        hint: 'give the copy a file of its own with `olap: { path }`',
        cause,
        facts: { reason: 'not-a-mirror', path: this.#path },
      })
    }
    const atMs = wallClockMs()
    const keptAs = `${this.#path}.damaged`
    for (const ending of ['', '.wal', '.json']) {
      await this.#remove(`${keptAs}${ending}`)
    }
    const isKept = await this.#rename(this.#path, keptAs)
    await this.#rename(`${this.#path}.wal`, `${keptAs}.wal`)
    for (const ending of ['.wal.checkpoint', '.wal.recovery', '.tmp']) {
      await this.#remove(`${this.#path}${ending}`)
    }
    await this.#report(`${keptAs}.json`, { atMs, cause })
    return Object.freeze({ atMs, cause, keptAs: isKept ? keptAs : null })
  }

  async #isPrecious(): Promise<boolean> {
    const handle = await through('files', files)
      .open(this.#path, 'r')
      .catch(() => null)
    if (handle === null) {
      return false
    }
    try {
      const start = Buffer.alloc(sqliteMagic.length)
      // A folder can be opened and not be read.
      await handle.read(start, 0, start.length, 0)
      return start.toString('latin1') === sqliteMagic
    } catch (error) {
      return (error as { readonly code?: unknown }).code === 'EISDIR'
    } finally {
      await handle.close()
    }
  }

  /** False when there is nothing of that name; what cannot be moved is removed. */
  async #rename(from: string, to: string): Promise<boolean> {
    try {
      await through('files', files).rename(from, to)
      return true
    } catch {
      await this.#remove(from)
      return false
    }
  }

  async #remove(path: string): Promise<void> {
    // What cannot be removed shows when the new file is opened.
    await through('files', files)
      .rm(path, { force: true, recursive: true })
      .catch(() => undefined)
  }

  async #report(path: string, what: { readonly atMs: number; readonly cause: unknown }) {
    const { atMs, cause } = what
    const text = JSON.stringify({
      at: new Date(atMs).toISOString(),
      cause: messageOf(cause),
      packageVersion,
      platform: `${process.platform} ${process.arch}, Node ${process.versions.node}`,
    })
    await through('files', files)
      .writeFile(path, `${text}\n`, { mode: 0o600 })
      .catch(() => undefined)
  }
}

const sqliteMagic = 'SQLite format 3\0'
