import { assert } from '../src/core/assert.js'
import { HtapError } from '../src/core/htap-error.js'
import { reach, wallClockMs } from '../src/core/outside-world.js'
import { openDuckDbStore } from '../src/olap/duckdb-store.js'
import { openFailure } from '../src/olap/olap-failure.js'
import type { OlapStore } from '../src/olap/olap-store.js'
import { FileLock } from '../src/oltp/file-lock.js'
import { ChangeApplier } from './apply/change-applier.js'
import { MirrorCatalogue, type MirrorState } from './apply/mirror-catalogue.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import {
  deleteConsumer,
  installChangeLog,
  newConsumerId,
  registerConsumer,
} from './capture/change-log.js'
import type { LogPlace } from './capture/log-place.js'
import { dropStrayTriggers } from './capture/table-capture.js'
import { MirrorFile, type SetAsideReport } from './mirror-file.js'
import type { SourceAccess } from './read/source-access.js'
import type { ExpectedSource } from './read/source-reader.js'
import { type SourceState, SourceStateReader } from './read/source-state.js'
import { writePatiently } from './read/write-patiently.js'
import type { SyncOptions } from './sync-options.js'

/** A mirror that was opened, and what was found in it. */
export interface OpenedMirror {
  readonly mirror: Mirror
  /** The copies in it. */
  readonly tables: readonly MirroredTable[]
  /** The file that was there before, where that one could not be used. */
  readonly setAside: SetAsideReport | null
}

/** An open column store that holds the copy of one source, and how far the copy has got. */
export class Mirror {
  readonly store: OlapStore
  readonly catalogue: MirrorCatalogue
  readonly applier: ChangeApplier
  readonly epoch: string
  readonly consumerId: string
  /** Where it lives; `:memory:` when it ends with this process. */
  readonly path: string
  /** How far the copy has got. */
  place: LogPlace
  /** SQLite's schema version when the mirror was written last. */
  readonly schemaVersion: number

  readonly #lock: FileLock | null

  private constructor(store: OlapStore, lock: FileLock | null, path: string, state: MirrorState) {
    this.store = store
    this.#lock = lock
    this.path = path
    this.catalogue = new MirrorCatalogue(store.writer)
    this.applier = new ChangeApplier(store.writer, this.catalogue)
    this.epoch = state.epoch
    this.consumerId = state.consumerId
    this.place = state.place
    this.schemaVersion = state.schemaVersion
  }

  /**
   * Opens the mirror of a source. A mirror is disposable: one of another source, or one that has lost
   * its place in the change log, is begun anew, and so is one whose file cannot be used, which is put
   * aside.
   *
   * @param suspect why the file is not to be tried at all; null to try it
   * @throws HtapError `mirror-unavailable` when the store cannot be opened, even empty
   */
  static async open(
    access: SourceAccess,
    options: SyncOptions,
    suspect: unknown = null,
  ): Promise<OpenedMirror> {
    if (options.olapPath === ':memory:') {
      return { ...(await Mirror.#openStore(access, options, null)), setAside: null }
    }
    const lock = await lockMirror(options.olapPath)
    const file = new MirrorFile(options.olapPath)
    try {
      reach('open.locked')
      const wasLeft = await file.beginOpening()
      const doubt = suspect ?? (wasLeft ? diedOpening(options.olapPath) : null)
      return await Mirror.#openFile(file, doubt, () => Mirror.#openStore(access, options, lock))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Derived data: whatever is wrong with a file, a new one is as good. */
  static async #openFile(
    file: MirrorFile,
    doubt: unknown,
    open: () => Promise<Omit<OpenedMirror, 'setAside'>>,
  ): Promise<OpenedMirror> {
    let setAside = doubt === null ? null : await file.setAside(doubt)
    try {
      return { ...(await open()), setAside }
    } catch (error) {
      if (setAside !== null || !isRefused(error)) {
        throw error
      }
      setAside = await file.setAside(error)
      return { ...(await open()), setAside }
    } finally {
      await file.endOpening()
    }
  }

  get position(): number {
    return this.place.position
  }

  async close(): Promise<void> {
    try {
      await this.store.close()
      reach('close.store-closed')
    } finally {
      this.#lock?.release()
    }
  }

  expected(schemaVersion: number): ExpectedSource {
    return { consumerId: this.consumerId, schemaVersion, epoch: this.epoch }
  }

  static async #openStore(
    access: SourceAccess,
    options: SyncOptions,
    lock: FileLock | null,
  ): Promise<Omit<OpenedMirror, 'setAside'>> {
    const path = lock === null ? ':memory:' : options.olapPath
    const store = await openDuckDbStore({
      path,
      memoryLimit: options.memoryLimit,
      threads: options.threads,
      tempDirectory: lock === null ? null : `${path}.tmp`,
      fileMode: options.fileMode,
    })
    try {
      reach('open.store-opened')
      return await Mirror.#attach(store, lock, path, access)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  static async #attach(
    store: OlapStore,
    lock: FileLock | null,
    path: string,
    access: SourceAccess,
  ): Promise<Omit<OpenedMirror, 'setAside'>> {
    const catalogue = new MirrorCatalogue(store.writer)
    const stored = await usable(path, () => catalogue.readState())
    const source = await writePatiently(access, (database) => {
      installChangeLog(database)
      dropStrayTriggers(database)
      const places = stored === null ? [] : [stored.place]
      const state = new SourceStateReader(database).read(stored?.consumerId ?? '', places)
      if (stored !== null && canGoOn(stored, state)) {
        return { ...state, isMine: true }
      }
      if (stored !== null) {
        // Another mirror may have been copied from the same file and go by this name.
        deleteConsumer(database, stored.consumerId)
      }
      return { ...state, isMine: false }
    })
    reach('open.log-installed')
    assert(source.epoch !== null && source.head !== null, 'a log that is installed has a beginning')
    if (source.isMine && stored !== null) {
      const mirror = new Mirror(store, lock, path, stored)
      return { mirror, tables: await usable(path, () => mirror.catalogue.readTables()) }
    }
    const state: MirrorState = {
      epoch: source.epoch,
      consumerId: newConsumerId(lock === null),
      place: source.head,
      schemaVersion: source.schemaVersion,
    }
    await usable(path, () => catalogue.reset(state))
    reach('open.reset')
    await writePatiently(access, (database) =>
      registerConsumer(database, {
        id: state.consumerId,
        position: state.place.position,
        seenMs: wallClockMs(),
      }),
    )
    reach('open.registered')
    return { mirror: new Mirror(store, lock, path, state), tables: [] }
  }
}

/**
 * A mirror goes on if the log is of the same life, keeps what this mirror has not read, and leads on
 * from its place; any other was set back, replaced, or pruned without regard to it.
 */
function canGoOn(stored: MirrorState, source: SourceState): boolean {
  return (
    stored.epoch === source.epoch &&
    source.consumerPosition !== null &&
    source.consumerPosition <= stored.place.position &&
    source.lostPositions.length === 0
  )
}

/**
 * DuckDB keeps other processes out of its file, but not another thread of this one, and two of
 * those lose data in silence; the lock keeps out both.
 */
async function lockMirror(path: string): Promise<FileLock> {
  const lock = await FileLock.tryAcquire(`${path}.lock`).catch((cause: unknown) => {
    throw new HtapError('mirror-unavailable', `no copy can be kept at ${path}`, {
      hint: 'make its folder exist and be writable, or give another place with `olap: { path }`',
      cause,
      facts: { reason: 'not-writable', path },
    })
  })
  if (lock === null) {
    throw new HtapError('mirror-unavailable', 'another process or thread keeps this mirror', {
      hint: 'SQLite answers here until that one ends; `olap: { whenLocked: "memory" }` keeps a second copy',
      facts: { reason: 'locked', path },
    })
  }
  return lock
}

/** What our own tables in the store yield must make sense, or the store is of no use. */
async function usable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw openFailure(error, path)
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof HtapError && error.facts['reason'] === 'refused'
}

function diedOpening(path: string): HtapError {
  return new HtapError('mirror-unavailable', `a process ended while it opened ${path}`, {
    facts: { reason: 'refused', path },
  })
}
