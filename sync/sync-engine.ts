import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { Turns } from '../src/core/turns.js'
import type { OlapStore } from '../src/olap/olap-store.js'
import { hasChangeLog } from './capture/change-log.js'
import { LogKeeper } from './capture/log-keeper.js'
import { lostPlace } from './capture/lost-place.js'
import { CatchUp } from './catch-up.js'
import { CopyRequests } from './copy-requests.js'
import { FreshnessWaiters } from './freshness-waiters.js'
import type { Mirror, OpenedMirror } from './mirror.js'
import { type EngineState, MirrorHolder, unavailableStates } from './mirror-holder.js'
import { MirrorSession } from './mirror-session.js'
import { createReaders } from './read/create-readers.js'
import type { SourceAccess } from './read/source-access.js'
import { SourceNow } from './read/source-now.js'
import type { SourceReaders } from './read/source-reader.js'
import { SchemaWatch } from './schema-watch.js'
import { SyncLoop } from './sync-loop.js'
import type { SyncOptions } from './sync-options.js'
import { TrackedTables } from './tracked-tables.js'
import type { VerifyReport } from './verify.js'

/**
 * Keeps a column store equal to a SQLite database: copies tables, follows their changes, tells how
 * fresh the copy is. Knows nothing of queries. It opens its store when a table is first asked
 * for, so that an application pays nothing before.
 */
export class SyncEngine {
  readonly #access: SourceAccess
  readonly #options: SyncOptions
  readonly #olapTurns = new Turns()
  /** What the engine knows of its tables. */
  readonly tables: TrackedTables
  readonly #waiters = new FreshnessWaiters()
  /** The schema that the live copies agree with. */
  readonly schema: SchemaWatch
  readonly #loop: SyncLoop
  readonly #catchUp: CatchUp
  readonly #copies: CopyRequests
  readonly #readers: SourceReaders
  /** The mirror as a whole. */
  readonly holder: MirrorHolder
  readonly logKeeper: LogKeeper
  #closing: Promise<void> | null = null

  constructor(access: SourceAccess, options: SyncOptions) {
    this.#access = access
    this.#options = options
    this.tables = new TrackedTables(options.tables)
    const source = new SourceNow(access)
    this.schema = new SchemaWatch(access, source, this.tables)
    this.#loop = this.#createLoop()
    this.#catchUp = new CatchUp({
      source,
      waiters: this.#waiters,
      loop: this.#loop,
      place: () => this.holder.serving?.mirror.place ?? null,
      isUnavailable: () => unavailableStates.has(this.state),
      open: () => this.#openOrThrow(),
      onLost: () => this.holder.noteFailure(lostPlace(), true),
    })
    this.#copies = new CopyRequests({
      tables: this.tables,
      waiters: this.#waiters,
      open: () => this.open(),
      queue: () => this.#session?.copies,
      isClosing: () => this.#closing !== null,
    })
    this.holder = new MirrorHolder({
      access,
      options,
      createSession: (mirror) => this.#createSession(mirror),
      begin: (opened) => this.#adopt(opened),
      onReady: () => this.#serve(),
      onUnavailable: () => this.#waiters.notify(),
      onLost: () => this.#loop.stop(),
      onClosed: () => this.tables.forgetCopies(),
      exclusively: (section) => this.#olapTurns.run(section),
    })
    this.logKeeper = new LogKeeper({
      access,
      rowsMax: options.logRowsMax,
      ownPlace: () => this.holder.serving?.place ?? null,
      onFailure: (error) => options.onError?.(error),
    })
    this.#readers = createReaders(access)
  }

  get state(): EngineState {
    return this.#closing === null ? this.holder.state : 'closed'
  }

  /** Why the engine does not serve, if it does not, or what failed last in the background. */
  get failure(): unknown {
    return this.holder.failure
  }

  /** The store to query; null unless ready. */
  get store(): OlapStore | null {
    return this.holder.serving?.mirror.store ?? null
  }

  /** The position of the change log that the copy equals. */
  get position(): number {
    return this.#session?.mirror.position ?? 0
  }

  /** Opens at once when a mirror exists or tables are listed; otherwise waits for a first need. */
  start(): void {
    this.logKeeper.start()
    if (this.#options.tables !== 'auto' || this.#access.readNow(hasChangeLog)) {
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

  /**
   * The newest committed position; null while a transaction on a shared connection hides it. When
   * the log does not lead on from where the mirror stands, the mirror serves no longer.
   */
  headNow(): number | null {
    return this.#catchUp.headNow()
  }

  /** Looks whether every table's schema is the one its copy was made for; takes off the others. */
  async checkSchema(): Promise<void> {
    if (await this.schema.refresh()) {
      this.#waiters.notify()
      this.#copies.addDue()
    }
  }

  /** Waits until the copy has reached `position`, at most `timeoutMs`; tells whether it has. */
  reach(position: number, timeoutMs: number): Promise<boolean> {
    return this.#catchUp.reach(position, timeoutMs)
  }

  /** How old the state is that the copy shows, in milliseconds; 0 when nothing is pending. */
  stalenessMs(head: number): number {
    return this.#catchUp.stalenessMs(head)
  }

  /** Something was committed: look for changes in the next turn of the event loop. */
  wake(): void {
    this.#loop.wake()
  }

  /**
   * Applies everything that is committed now.
   *
   * @throws HtapError `mirror-unavailable` when there is no mirror, `wait-timeout`
   */
  async syncNow(timeoutMs: number = limits.syncNowTimeoutMs): Promise<void> {
    await this.#openOrThrow()
    await this.#catchUp.syncNow(timeoutMs)
  }

  /**
   * Copies a table anew; the old copy serves until the new one is complete.
   *
   * @throws HtapError `table-unknown`, `mirror-unavailable`
   */
  async rebuild(name: string): Promise<void> {
    const table = this.#copies.findKnown(name)
    await this.#openOrThrow()
    await this.#copies.rebuild(table)
  }

  /**
   * Compares live copies with SQLite at one position: row counts and order-free checksums.
   *
   * @throws HtapError `mirror-unavailable`, `sync-failed` when the mirror has lost its place in the log,
   * `wait-timeout` when a table changes too quickly
   */
  async verify(names?: readonly string[]): Promise<VerifyReport> {
    const session = await this.#openOrThrow()
    await this.checkSchema()
    try {
      return await session.verify(this.tables.served(names), () => this.syncNow())
    } catch (error) {
      this.noteFailure(error)
      throw error
    }
  }

  /** Runs while nobody else writes to the store. */
  exclusively<T>(section: () => Promise<T>): Promise<T> {
    return this.#olapTurns.run(section)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Opens the mirror if need be; false when it cannot be opened now. */
  open(): Promise<boolean> {
    return this.holder.open()
  }

  /**
   * Something failed in the store. Opens it anew, or begins it anew, where that is what it needs; true
   * where the store is at fault, and not the statement.
   */
  noteFailure(error: unknown): boolean {
    return this.holder.noteFailure(error, false)
  }

  async #openOrThrow(): Promise<MirrorSession> {
    await this.open()
    const session = this.#session
    if (this.state !== 'ready' || session === null) {
      throw new HtapError('mirror-unavailable', 'there is no mirror that serves', {
        hint: 'status() tells why and when it is tried again',
        cause: this.failure,
        facts: { state: this.state },
      })
    }
    return session
  }

  async #adopt({ mirror, tables }: OpenedMirror): Promise<void> {
    this.schema.version = mirror.schemaVersion
    for (const table of tables) {
      this.tables.adopt(table)
    }
    // Copies of tables that changed while nobody looked are not served for a moment.
    await this.schema.reload(true)
  }

  #serve(): void {
    this.#loop.start(this.#options.intervalMs)
    this.#copies.addDue()
    for (const name of this.#options.tables === 'auto' ? [] : this.#options.tables) {
      this.#copies.add(name)
    }
    this.wake()
  }

  get #session(): MirrorSession | null {
    return this.holder.session
  }

  #createSession(mirror: Mirror): MirrorSession {
    const session: MirrorSession = new MirrorSession({
      mirror,
      access: this.#access,
      options: this.#options,
      readers: this.#readers,
      tables: this.tables,
      schema: this.schema,
      exclusively: (section) => this.#olapTurns.run(section),
      runLoop: () => this.#loop.run(),
      onChange: () => this.#waiters.notify(),
      onFailure: (error) => this.holder.noteBackgroundFailure(error),
      isClosing: () => this.#closing !== null,
      isGivenUp: () => this.#session !== session || this.state !== 'ready',
    })
    return session
  }

  #createLoop(): SyncLoop {
    return new SyncLoop({
      isReady: () => this.state === 'ready',
      isClosing: () => this.#closing !== null,
      sync: () => this.#olapTurns.run(async () => this.#session?.sync() ?? false),
      onProgress: () => this.#waiters.notify(),
      onIdle: async () => this.#session?.tidy(),
      onFailure: (error) => this.holder.noteBackgroundFailure(error),
      onLost: (error) => this.holder.noteFailure(error, true),
      dataVersion: () => this.#access.dataVersion(),
      onTick: () => {
        this.#session?.tick()
        this.#copies.addDue()
      },
      onTickFailure: (error) => this.#options.onError?.(error),
    })
  }

  async #close(): Promise<void> {
    this.#access.leave()
    await this.logKeeper.close()
    await this.holder.close((session) => session.leaveLog())
    this.#waiters.notify()
    await this.#readers.worker?.close()
    this.#access.close()
  }
}
