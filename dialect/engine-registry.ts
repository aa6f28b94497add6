import * as fs from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { through } from '../src/core/outside-world.js'
import { assertFile, connectionIdentity } from '../src/oltp/file-identity.js'
import { openControlConnection } from '../src/oltp/open-read-connection.js'
import { isSharedWal } from '../src/oltp/shared-wal.js'
import type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
import type { Writer } from '../src/oltp/writer.js'
import { type HistoryOptions, TemporalHistory } from '../sync/history/temporal-history.js'
import {
  OwnConnectionAccess,
  SharedConnectionAccess,
  type SourceAccess,
} from '../sync/read/source-access.js'
import { findServingCopy } from '../sync/serving-copy.js'
import { SyncEngine } from '../sync/sync-engine.js'
import type { SyncOptions } from '../sync/sync-options.js'
import type { AnalyticsHost } from './analytics.js'
import { callHistory } from './temporal/history-call.js'
import { mirroredTables, temporalOptions } from './temporal/temporal-options.js'

/** An engine that several Kysely instances may share; the last one to release it closes it. */
export interface SharedEngine {
  readonly engine: SyncEngine
  /** Null without temporal mode. */
  readonly history: TemporalHistory | null
  release(): Promise<void>
}

/**
 * The engine of a database, with the history of its tables: one per file and process, because two of them would hold two copies
 * and two places in the change log. Null where nothing can be captured: a read-only database.
 *
 * @throws HtapError `config-invalid`, `history-unusable`, `history-failed`
 */
export async function shareEngine(host: AnalyticsHost): Promise<SharedEngine | null> {
  const { database } = host.writer
  if (database.readonly || host.config.sync === false) {
    return null
  }
  const options = syncOptions(host)
  const temporal = temporalOptions(host)
  const writers = new Set<Writer>()
  const access = await openAccess(host, writers)
  const key = access.workerPath === null ? database : keyOf(host, access.workerPath)
  let entry = engines.get(key)
  if (entry === undefined) {
    entry = beginEngine(access, options, temporal, writers)
    engines.set(key, entry)
  } else {
    access.close()
  }
  entry.writers.add(host.writer)
  const release = releaseOnce(key, entry, host.writer)
  try {
    const history = await entry.history
    if (temporal !== null && history?.path !== temporal.path) {
      throw new HtapError(
        'config-invalid',
        'another instance has this database open without its history',
        {
          hint: 'give every instance of a process the same `sync` options',
        },
      )
    }
    return Object.freeze({ engine: entry.engine, history, release })
  } catch (error) {
    await release()
    throw error
  }
}

function beginEngine(
  access: SourceAccess,
  options: SyncOptions,
  temporal: HistoryOptions | null,
  writers: Set<Writer>,
): Entry {
  const engine = new SyncEngine(access, options)
  const history = temporal === null ? null : openHistory(access, engine, temporal, options.onError)
  history?.catch(() => undefined)
  try {
    engine.start()
  } catch {
    // Our own connection cannot read now. The application starts; the first need tries again.
  }
  return { engine, writers, history: history ?? Promise.resolve(null) }
}

/** @throws HtapError `config-invalid` for a database that nobody else can read meanwhile */
async function openHistory(
  access: SourceAccess,
  engine: SyncEngine,
  options: HistoryOptions,
  onError: SyncOptions['onError'],
): Promise<TemporalHistory> {
  if (access.workerPath === null) {
    throw new HtapError('config-invalid', 'temporal mode needs a database file in WAL mode', {
      hint: 'give the path of a file, or set `pragma journal_mode = wal` on the instance',
    })
  }
  const props = {
    access,
    sourcePath: access.workerPath,
    options,
    openStore: async () => ((await engine.open()) ? engine.store : null),
    exclusively: <T>(section: () => Promise<T>) => engine.exclusively(section),
    findMirror: (name: string) => findServingCopy(engine, name),
    reachMirror: (seq: number) => engine.reach(seq, limits.mirrorWaitMs),
    onMoved: async () => engine.holder.session?.tidyAfterOther(),
    onFailure: (error: unknown) => onError?.(error),
  }
  return await callHistory(() => TemporalHistory.open(props))
}

/** The name alone is not enough: another file may have taken it since an engine was made for it. */
function keyOf(host: AnalyticsHost, path: string): string {
  return `${realPath(path)} ${connectionIdentity(host.writer.database, path)}`
}

interface Entry {
  readonly engine: SyncEngine
  readonly history: Promise<TemporalHistory | null>
  /** The writers of the instances that share the engine. */
  readonly writers: Set<Writer>
}

/** One map for the process, also where this module is loaded twice. */
const registryName = Symbol.for('kysely-htap.engines')
const registryHost = globalThis as { [registryName]?: Map<string | SqliteDatabase, Entry> }
registryHost[registryName] ??= new Map()
const engines = registryHost[registryName]

function releaseOnce(
  key: string | SqliteDatabase,
  entry: Entry,
  writer: Writer,
): () => Promise<void> {
  let released: Promise<void> | null = null
  return () => {
    released ??= (async () => {
      entry.writers.delete(writer)
      if (entry.writers.size === 0) {
        engines.delete(key)
        const history = await entry.history.catch(() => null)
        await history?.close()
        await entry.engine.close()
      }
    })()
    return released
  }
}

/**
 * A connection of our own where readers and a writer do not block each other; otherwise the
 * application's connection, in the gaps between its transactions.
 */
async function openAccess(
  host: AnalyticsHost,
  writers: ReadonlySet<Writer>,
): Promise<SourceAccess> {
  const { writer, path } = host
  const { database } = writer
  if (path !== null && isSharedWal(database)) {
    try {
      const control = await openControlConnection(path)
      try {
        assertFile(path, connectionIdentity(database, path))
        const isInUse = () =>
          [...writers].some((it) => it.database.open && it.database.inTransaction)
        return new OwnConnectionAccess(control, path, isInUse)
      } catch {
        control.close()
      }
    } catch {
      // A file that only this connection can read, encrypted for example.
    }
  }
  return new SharedConnectionAccess(database, (section, signal) =>
    writer.runExclusive(section, signal),
  )
}

/** SQLite's own word for the path where the file system gives none. */
function realPath(path: string): string {
  try {
    return through('files', fs).realpathSync(path)
  } catch {
    return path
  }
}

/** The copy is to be as closed to others as the database itself. */
function fileMode(path: string | null): number | null {
  if (path === null) {
    return null
  }
  try {
    return through('files', fs).statSync(path).mode
  } catch {
    return ownerOnly
  }
}

/** What is known of no file can only be for ourselves. */
const ownerOnly = 0o600

/** @throws HtapError `config-invalid` when the copy would take the place of the database */
function syncOptions(host: AnalyticsHost): SyncOptions {
  const { config, path } = host
  if (path !== null && config.olap?.path !== undefined && resolve(config.olap.path) === path) {
    throw new HtapError('config-invalid', '`olap.path` is the path of the database itself', {
      hint: 'give the copy a file of its own',
    })
  }
  const sync = config.sync === false ? undefined : config.sync
  return {
    olapPath: config.olap?.path ?? (path === null ? ':memory:' : `${path}-htap.duckdb`),
    whenLocked: config.olap?.whenLocked ?? 'sqlite',
    fileMode: fileMode(path),
    memoryLimit: config.olap?.memoryLimit ?? '512MB',
    threads: config.olap?.threads ?? Math.min(4, availableParallelism()),
    tables: mirroredTables(sync),
    intervalMs: sync?.intervalMs ?? limits.foreignPollIntervalMs,
    logRowsMax: sync?.logRowsMax ?? limits.logRowsMax,
    onProgress: sync?.onProgress,
    onSetAside: sync?.onSetAside,
  }
}
