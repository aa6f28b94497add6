import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { Turns } from '../src/core/turns.js'
import type { OlapStore } from '../src/olap/olap-store.js'
import { readSchemaVersion } from '../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../src/oltp/sqlite-database.js'
import { hasChangeLog } from './capture/change-log.js'
import { CopyRequests } from './copy-requests.js'
import { FreshnessWaiters } from './freshness-waiters.js'
import { Mirror } from './mirror.js'
import { MirrorSession } from './mirror-session.js'
import { InlineReader } from './read/inline-reader.js'
import type { SourceAccess } from './read/source-access.js'
import type { SourceReaders } from './read/source-reader.js'
import { SourceStateReader } from './read/source-state.js'
import { WorkerReader } from './read/worker-reader.js'
import { SchemaWatch } from './schema-watch.js'
import { SyncLoop } from './sync-loop.js'
import type { SyncOptions } from './sync-options.js'
import { TrackedTables } from './tracked-tables.js'
import type { VerifyReport } from './verify.js'

/** Whether the engine can serve, and why not. */
export type EngineState = 'idle' | 'opening' | 'ready' | 'failed' | 'closed'

/**
 * Keeps a column store equal to a SQLite database: copies tables, follows their changes, tells how
 * fresh the copy is. Knows nothing of queries. It opens its store when a table is first asked
 * for, so that an application pays nothing before.
 */
export class SyncEngine {
  readonly #access: SourceAccess
  readonly #options: SyncOptions
  readonly #olapTurns = new Turns()
  readonly #tables: TrackedTables
  readonly #waiters = new FreshnessWaiters()
  readonly #schema: SchemaWatch
  readonly #loop: SyncLoop
  readonly #copies: CopyRequests
  readonly #readers: SourceReaders
  #state: EngineState = 'idle'
  #failure: unknown = null
  #retryAtMs = 0
  #opening: Promise<boolean> | null = null
  #session: MirrorSession | null = null
  #stateReader: SourceStateReader | null = null
  #closing: Promise<void> | null = null

  constructor(access: SourceAccess, options: SyncOptions) {
    this.#access = access
    this.#options = options
    this.#tables = new TrackedTables(options.tables)
    this.#schema = new SchemaWatch(access, this.#tables.byName)
    this.#loop = this.#createLoop()
    this.#copies = new CopyRequests({
      tables: this.#tables,
      waiters: this.#waiters,
      open: () => this.open(),
      queue: () => this.#session?.copies,
      isClosing: () => this.#closing !== null,
    })
    const inline = new InlineReader(access)
    const { workerPath } = access
    const worker = workerPath === null ? null : new WorkerReader(workerPath, inline)
    this.#readers = { inline, worker }
  }

  get state(): EngineState {
    return this.#state
  }

  /** Why the engine does not serve, if it does not. */
  get failure(): unknown {
    return this.#failure
  }

  /** The store to query; null unless ready. */
  get store(): OlapStore | null {
    return this.#state === 'ready' ? (this.#session?.mirror.store ?? null) : null
  }

  /** The position of the change log that the copy equals. */
  get position(): number {
    return this.#session?.mirror.position ?? 0
  }

  /** What the engine knows of its tables. */
  get tables(): TrackedTables {
    return this.#tables
  }

  /** Opens at once when a mirror exists or tables are listed; otherwise waits for a first need. */
  start(): void {
    const isListed = this.#options.tables !== 'auto'
    const hasLog = this.#access.readNow(hasChangeLog) ?? false
    if (isListed || hasLog) {
      void this.open()
    }
  }

  /** Asks for a copy of a table; harmless when it is there, on its way or refused. */
  requestCopy(name: string): void {
    this.#copies.add(name)
  }

  /** Waits until none of the tables is being copied, at most `timeoutMs`. */
  waitForCopies(names: readonly string[], timeoutMs: number): Promise<void> {
    return this.#copies.wait(names, timeoutMs)
  }

  /** The newest committed position; null while a transaction on a shared connection hides it. */
  headNow(): number | null {
    return this.#access.readNow(() => this.#stateReader?.head() ?? 0) ?? null
  }

  /** Looks whether every table's schema is the one its copy was made for; takes off the others. */
  async checkSchema(): Promise<void> {
    const read = (database: SqliteDatabase) =>
      this.#stateReader?.schemaVersion() ?? readSchemaVersion(database)
    const version = this.#access.readNow(read) ?? (await this.#access.read(readSchemaVersion))
    if (version !== this.#schema.version) {
      await this.#schema.reload(false)
      this.#waiters.notify()
      this.#copies.addDue()
    }
  }

  /** Waits until the copy has reached `position`, at most `timeoutMs`; tells whether it has. */
  async reach(position: number, timeoutMs: number): Promise<boolean> {
    if (this.position >= position && this.#state === 'ready') {
      return true
    }
    this.wake()
    return this.#waiters.reach(() => this.position >= position, timeoutMs)
  }

  /** How old the state is that the copy shows, in milliseconds; 0 when nothing is pending. */
  stalenessMs(head: number): number {
    return head <= this.position ? 0 : performance.now() - this.#loop.freshAtMs
  }

  /** Something was committed: look for changes in the next turn of the event loop. */
  wake(): void {
    this.#loop.wake()
  }

  /** Applies everything that is committed now. */
  async syncNow(): Promise<void> {
    await this.open()
    const head = await this.#access.read(() => this.#stateReader?.head() ?? 0)
    if (!(await this.reach(head, limits.syncNowTimeoutMs))) {
      throw new HtapError('wait-timeout', 'the copy did not catch up in time', {
        hint: 'see status() for the last error',
      })
    }
  }

  /** Copies a table anew; the old copy serves until the new one is complete. */
  rebuild(name: string): Promise<void> {
    return this.#copies.rebuild(name)
  }

  /** Compares live copies with SQLite at one position: row counts and order-free checksums. */
  async verify(names?: readonly string[]): Promise<VerifyReport> {
    await this.open()
    const session = this.#session
    if (this.#state !== 'ready' || session === null) {
      throw new HtapError('mirror-unavailable', 'there is no mirror to verify', {
        cause: this.#failure,
      })
    }
    await this.checkSchema()
    return session.verify(this.#tables.served(names), () => this.syncNow())
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Opens the mirror if need be; false when it cannot be opened now. */
  open(): Promise<boolean> {
    if (this.#state === 'ready') {
      return Promise.resolve(true)
    }
    if (this.#closing !== null || performance.now() < this.#retryAtMs) {
      return Promise.resolve(false)
    }
    this.#opening ??= this.#openMirror().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #openMirror(): Promise<boolean> {
    this.#state = 'opening'
    try {
      const { mirror, tables } = await Mirror.open(this.#access, this.#options)
      this.#session = this.#createSession(mirror)
      await this.#access.read((database) => {
        this.#stateReader = new SourceStateReader(database)
      })
      this.#schema.version = mirror.schemaVersion
      for (const table of tables) {
        this.#tables.adopt(table)
      }
      // Copies of tables that changed while nobody looked are not served for a moment.
      await this.#schema.reload(true)
      this.#state = 'ready'
      this.#failure = null
      this.#loop.start(this.#options.intervalMs)
      this.#copies.addDue()
      for (const name of this.#options.tables === 'auto' ? [] : this.#options.tables) {
        this.#copies.add(name)
      }
      this.wake()
      return true
    } catch (error) {
      this.#state = 'failed'
      this.#failure = error
      this.#retryAtMs = performance.now() + limits.copyRetryMs
      this.#options.onError?.(error)
      await this.#session?.mirror.close().catch(() => undefined)
      this.#session = null
      return false
    }
  }

  #createSession(mirror: Mirror): MirrorSession {
    const session: MirrorSession = new MirrorSession({
      mirror,
      access: this.#access,
      options: this.#options,
      readers: this.#readers,
      tables: this.#tables,
      schema: this.#schema,
      exclusively: (section) => this.#olapTurns.run(section),
      runLoop: () => this.#loop.run(),
      onChange: () => this.#waiters.notify(),
      isClosing: () => this.#closing !== null,
      isGivenUp: () =>
        this.#closing !== null || this.#session !== session || this.#state !== 'ready',
    })
    return session
  }

  #createLoop(): SyncLoop {
    return new SyncLoop({
      isReady: () => this.#state === 'ready',
      isClosing: () => this.#closing !== null,
      sync: () => this.#olapTurns.run(async () => this.#session?.sync() ?? false),
      onProgress: () => this.#waiters.notify(),
      onIdle: async () => this.#session?.tidy(),
      onFailure: (error) => {
        this.#options.onError?.(error)
        this.#failure = error
      },
      // Not awaited: it waits for copies, and those wait for the loop.
      onLost: () => void this.#startOver(),
      dataVersion: () => this.#access.dataVersion(),
      onTick: () => {
        this.#session?.tick()
        this.#copies.addDue()
      },
      onTickFailure: (error) => this.#options.onError?.(error),
    })
  }

  /**
   * The mirror has lost its place, or its store fails again and again: close it and open it anew,
   * which makes of it whatever can still be used.
   */
  async #startOver(): Promise<void> {
    this.#loop.stop()
    this.#retryAtMs = 0
    this.#state = 'idle'
    await this.#session?.copies.close()
    await this.#olapTurns.run(async () => this.#session?.mirror.close())
    this.#session = null
    this.#tables.forgetCopies()
    void this.open()
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    this.#loop.stop()
    await this.#session?.copies.close()
    this.#waiters.notify()
    await this.#olapTurns.run(async () => {
      const wasReady = this.#state === 'ready'
      this.#state = 'closed'
      if (wasReady) {
        await this.#session?.leaveLog()
      }
      await this.#readers.worker?.close()
      await this.#session?.mirror.close()
    })
    this.#access.close()
  }
}
