import * as files from 'node:fs/promises'
import { HtapError } from '../src/core/htap-error.js'
import { reach, through, uniqueId, wallClockMs } from '../src/core/outside-world.js'
import { openDuckDbStore } from '../src/olap/duckdb-store.js'
import type { OlapStore } from '../src/olap/olap-store.js'
import { readSchemaVersion } from '../src/oltp/catalogue.js'
import { FileLock } from '../src/oltp/file-lock.js'
import { ChangeApplier } from './apply/change-applier.js'
import { MirrorCatalogue, type MirrorState } from './apply/mirror-catalogue.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import {
  installChangeLog,
  readConsumerPosition,
  readEpoch,
  writeConsumer,
} from './capture/change-log.js'
import type { SourceAccess } from './read/source-access.js'
import type { ExpectedSource } from './read/source-reader.js'
import { SourceStateReader } from './read/source-state.js'
import { writePatiently } from './read/write-patiently.js'
import type { SyncOptions } from './sync-options.js'

/** An open column store that holds the copy of one source, and how far the copy has got. */
export class Mirror {
  readonly store: OlapStore
  readonly catalogue: MirrorCatalogue
  readonly applier: ChangeApplier
  readonly epoch: string
  readonly consumerId: string
  position: number
  /** SQLite's schema version when the mirror was written last. */
  readonly schemaVersion: number

  readonly #lock: FileLock | null

  private constructor(store: OlapStore, lock: FileLock | null, state: MirrorState) {
    this.store = store
    this.#lock = lock
    this.catalogue = new MirrorCatalogue(store.writer)
    this.applier = new ChangeApplier(store.writer, this.catalogue)
    this.epoch = state.epoch
    this.consumerId = state.consumerId
    this.position = state.position
    this.schemaVersion = state.schemaVersion
  }

  /**
   * Opens the mirror of a source and returns the copies in it. A mirror is disposable: a damaged
   * one, one of another source, or one that has lost its place in the change log is begun anew.
   *
   * @throws HtapError `mirror-unavailable` when the store cannot be opened, even empty
   */
  static async open(
    access: SourceAccess,
    options: SyncOptions,
  ): Promise<{ readonly mirror: Mirror; readonly tables: readonly MirroredTable[] }> {
    const lock = await lockStore(options)
    let store: OlapStore | null = null
    try {
      reach('open.locked')
      store = await openStore(options)
      reach('open.store-opened')
      return await Mirror.#attach(store, lock, access)
    } catch (error) {
      await store?.close()
      lock?.release()
      throw error
    }
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

  static async #attach(
    store: OlapStore,
    lock: FileLock | null,
    access: SourceAccess,
  ): Promise<{ readonly mirror: Mirror; readonly tables: readonly MirroredTable[] }> {
    const catalogue = new MirrorCatalogue(store.writer)
    const stored = await catalogue.readState().catch(() => null)
    const source = await writePatiently(access, (database) => {
      installChangeLog(database)
      const head = new SourceStateReader(database).head()
      const epoch = readEpoch(database)
      const schemaVersion = readSchemaVersion(database)
      const position = stored === null ? null : readConsumerPosition(database, stored.consumerId)
      const isMine = stored !== null && stored.epoch === epoch && position !== null
      if (isMine && position <= stored.position && stored.position <= head) {
        return { epoch, head, schemaVersion, isMine: true }
      }
      return { epoch, head, schemaVersion, isMine: false }
    })
    reach('open.log-installed')
    if (source.epoch === null) {
      throw new HtapError('sync-failed', 'the change log has no epoch')
    }
    if (source.isMine && stored !== null) {
      const mirror = new Mirror(store, lock, stored)
      return { mirror, tables: await mirror.catalogue.readTables() }
    }
    const state: MirrorState = {
      epoch: source.epoch,
      consumerId: stored?.consumerId ?? uniqueId(),
      position: source.head,
      schemaVersion: source.schemaVersion,
    }
    await catalogue.reset(state)
    reach('open.reset')
    await writePatiently(access, (database) =>
      writeConsumer(database, {
        id: state.consumerId,
        position: state.position,
        seenMs: wallClockMs(),
      }),
    )
    reach('open.registered')
    return { mirror: new Mirror(store, lock, state), tables: [] }
  }
}

/**
 * DuckDB keeps other processes out of its file, but not another thread of this one, and two of
 * those lose data in silence; the lock keeps out both.
 */
async function lockStore(options: SyncOptions): Promise<FileLock | null> {
  if (options.olapPath === ':memory:') {
    return null
  }
  const lock = await FileLock.tryAcquire(`${options.olapPath}.lock`)
  if (lock === null) {
    throw new HtapError('mirror-unavailable', 'another process or thread keeps this mirror', {
      hint: 'give this one a mirror of its own with `olap: { path }`, or leave it to SQLite',
      facts: { reason: 'locked', path: options.olapPath },
    })
  }
  return lock
}

async function openStore(options: SyncOptions): Promise<OlapStore> {
  const open = () =>
    openDuckDbStore({
      path: options.olapPath,
      memoryLimit: options.memoryLimit,
      threads: options.threads,
      tempDirectory: options.olapPath === ':memory:' ? null : `${options.olapPath}.tmp`,
    })
  try {
    return await open()
  } catch (error) {
    if (options.olapPath === ':memory:' || !isRefused(error)) {
      throw error
    }
    // The file is derived data: whatever is wrong with it, a new one is as good.
    await through('files', files).rm(options.olapPath, { force: true })
    await through('files', files).rm(`${options.olapPath}.wal`, { force: true })
    return await open()
  }
}

/** A file that somebody else has open is not damaged. */
function isRefused(error: unknown): boolean {
  return error instanceof HtapError && error.facts['reason'] === 'refused'
}
