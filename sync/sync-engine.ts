import { AsyncMutex } from '../src/core/async-mutex.js'
import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import type { MirrorTable } from '../src/core/mirror-table.js'
import { foldIdentifier } from '../src/core/sql-identifier.js'
import type { OlapStore } from '../src/olap/olap-store.js'
import { readSchemaVersion } from '../src/oltp/catalogue.js'
import { CopyQueue } from './backfill/copy-queue.js'
import { hasChangeLog } from './capture/change-log.js'
import { LogPruner } from './capture/log-pruner.js'
import { type ChangeSync, createChangeSync } from './change-sync.js'
import { FreshnessWaiters } from './freshness-waiters.js'
import { Mirror } from './mirror.js'
import { InlineReader } from './read/inline-reader.js'
import type { SourceAccess } from './read/source-access.js'
import { SourceStateReader } from './read/source-state.js'
import { WorkerReader } from './read/worker-reader.js'
import { SchemaWatch } from './schema-watch.js'
import type { SyncOptions } from './sync-options.js'
import { type TrackedTable, trackTable } from './tracked-table.js'
import { type VerifyReport, verifyTables } from './verify.js'

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
  readonly #olapMutex = new AsyncMutex()
  readonly #tables = new Map<string, TrackedTable>()
  readonly #waiters = new FreshnessWaiters()
  readonly #schema: SchemaWatch
  readonly #inlineReader: InlineReader
  readonly #workerReader: WorkerReader | null
  #state: EngineState = 'idle'
  #failure: unknown = null
  #retryAtMs = 0
  #opening: Promise<boolean> | null = null
  #mirror: Mirror | null = null
  #changeSync: ChangeSync | null = null
  #copies: CopyQueue | null = null
  #pruner: LogPruner | null = null
  #stateReader: SourceStateReader | null = null
  #pumping: Promise<void> | null = null
  #isWoken = false
  #freshAtMs = 0
  #syncFailures = 0
  #timer: NodeJS.Timeout | null = null
  #lastDataVersion: number | null = null
  #closing: Promise<void> | null = null

  constructor(access: SourceAccess, options: SyncOptions) {
    this.#access = access
    this.#options = options
    this.#schema = new SchemaWatch(access, this.#tables)
    this.#inlineReader = new InlineReader(access)
    this.#workerReader = access.workerPath === null ? null : new WorkerReader(access.workerPath)
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
    return this.#state === 'ready' ? (this.#mirror?.store ?? null) : null
  }

  /** The position of the change log that the copy equals. */
  get position(): number {
    return this.#mirror?.position ?? 0
  }

  /** What the engine knows of its tables, for reports. */
  get tables(): ReadonlyMap<string, TrackedTable> {
    return this.#tables
  }

  /** Opens at once when a mirror exists or tables are listed; otherwise waits for a first need. */
  start(): void {
    const isListed = this.#options.tables !== 'auto'
    const hasLog = this.#access.readNow(hasChangeLog) ?? false
    if (isListed || hasLog) {
      void this.#open()
    }
  }

  /** The copy of a table that DuckDB may read; undefined unless it is live. */
  liveTable(name: string): MirrorTable | undefined {
    const table = this.#tables.get(foldIdentifier(name))
    return table?.state === 'live' ? table.live?.mirror : undefined
  }

  table(name: string): TrackedTable | undefined {
    return this.#tables.get(foldIdentifier(name))
  }

  /** Tables that may be copied: all, or those that were listed. */
  mayCopy(name: string): boolean {
    const { tables } = this.#options
    const folded = foldIdentifier(name)
    return tables === 'auto' || tables.some((listed) => foldIdentifier(listed) === folded)
  }

  /** Asks for a copy of a table; harmless when it is there, on its way or refused. */
  requestCopy(name: string): void {
    if (!this.mayCopy(name) || this.#closing !== null) {
      return
    }
    const table = this.#track(name)
    if (table.state === 'absent' && Date.now() >= table.retryAtMs) {
      table.state = 'copying'
      table.reason = 'the first copy is being made'
      void this.#open().then((isOpen) => {
        if (isOpen) {
          this.#copies?.add(table)
        } else {
          table.state = 'absent'
        }
      })
    }
  }

  /** Waits until none of the tables is being copied, at most `timeoutMs`. */
  async waitForCopies(names: readonly string[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    const isPending = () =>
      names.some((name) => this.#tables.get(foldIdentifier(name))?.state === 'copying')
    while (isPending() && performance.now() < deadline && this.#closing === null) {
      await this.#waiters.anyChange(Math.max(1, deadline - performance.now()))
    }
  }

  /** The newest committed position; null while a transaction on a shared connection hides it. */
  headNow(): number | null {
    return this.#access.readNow(() => this.#stateReader?.head() ?? 0) ?? null
  }

  /** True while every table's schema is the one its copy was made for. */
  async checkSchema(): Promise<void> {
    const version = await this.#readSchemaVersion()
    if (version !== this.#schema.version) {
      await this.#reloadSchema()
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
    return head <= this.position ? 0 : performance.now() - this.#freshAtMs
  }

  /** Something was committed: look for changes in the next turn of the event loop. */
  wake(): void {
    if (this.#state !== 'ready' || this.#isWoken) {
      return
    }
    this.#isWoken = true
    setImmediate(() => {
      this.#isWoken = false
      void this.#pump()
    })
  }

  /** Applies everything that is committed now. */
  async syncNow(): Promise<void> {
    await this.#open()
    const head = await this.#access.read(() => this.#stateReader?.head() ?? 0)
    if (!(await this.reach(head, limits.syncNowTimeoutMs))) {
      throw new HtapError('wait-timeout', 'the copy did not catch up in time', {
        hint: 'see status() for the last error',
      })
    }
  }

  /** Copies a table anew; the old copy serves until the new one is complete. */
  async rebuild(name: string): Promise<void> {
    const known = this.#tables.get(foldIdentifier(name))
    if (known === undefined) {
      throw new HtapError('table-unknown', `no copy of a table named ${name}`, {
        hint: 'only tables that analytic queries have read are copied',
      })
    }
    await this.#open()
    known.retryAtMs = 0
    await this.#copies?.rebuild(known)
  }

  /** Compares live copies with SQLite at one position: row counts and order-free checksums. */
  async verify(names?: readonly string[]): Promise<VerifyReport> {
    await this.#open()
    const mirror = this.#mirror
    const changeSync = this.#changeSync
    if (this.#state !== 'ready' || mirror === null || changeSync === null) {
      throw new HtapError('mirror-unavailable', 'there is no mirror to verify', {
        cause: this.#failure,
      })
    }
    await this.checkSchema()
    const wanted = names?.map(foldIdentifier)
    const tables = [...this.#tables.values()].filter(
      (table) =>
        table.live !== null &&
        (wanted === undefined || wanted.includes(foldIdentifier(table.name))),
    )
    return verifyTables({
      tables: tables.flatMap((table) => (table.live === null ? [] : [table.live])),
      mirror,
      access: this.#access,
      reader: this.#workerReader ?? this.#inlineReader,
      expected: mirror.expected(this.#schema.version),
      syncTo: () => this.syncNow(),
      exclusively: (section) => this.#olapMutex.run(section),
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #track(name: string): TrackedTable {
    const folded = foldIdentifier(name)
    const known = this.#tables.get(folded)
    if (known !== undefined) {
      return known
    }
    const table = trackTable(name)
    this.#tables.set(folded, table)
    return table
  }

  #open(): Promise<boolean> {
    if (this.#state === 'ready') {
      return Promise.resolve(true)
    }
    if (this.#closing !== null || Date.now() < this.#retryAtMs) {
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
      this.#mirror = mirror
      await this.#access.read((database) => {
        this.#stateReader = new SourceStateReader(database)
      })
      this.#schema.version = mirror.schemaVersion
      for (const table of tables) {
        const tracked = this.#track(table.shape.name)
        Object.assign(tracked, {
          state: 'live',
          tableId: table.tableId,
          shape: table.shape,
          live: table,
        })
      }
      this.#wire(mirror)
      // Copies of tables that changed while nobody looked are not served for a moment.
      await this.#schema.reload(true)
      this.#state = 'ready'
      this.#failure = null
      this.#startTimer()
      this.#requeue()
      if (this.#options.tables !== 'auto') {
        for (const name of this.#options.tables) {
          this.requestCopy(name)
        }
      }
      this.wake()
      return true
    } catch (error) {
      this.#state = 'failed'
      this.#failure = error
      this.#retryAtMs = Date.now() + limits.copyRetryMs
      this.#options.onError?.(error)
      await this.#mirror?.close().catch(() => undefined)
      this.#mirror = null
      return false
    }
  }

  #wire(mirror: Mirror): void {
    this.#changeSync = createChangeSync({
      mirror,
      access: this.#access,
      inlineReader: this.#inlineReader,
      workerReader: this.#workerReader,
      tables: this.#tables,
      schema: this.#schema,
    })
    this.#pruner = new LogPruner(this.#access, mirror.consumerId)
    this.#copies = new CopyQueue({
      mirror,
      access: this.#access,
      reader: this.#workerReader ?? this.#inlineReader,
      schema: this.#schema,
      options: this.#options,
      exclusively: (section) => this.#olapMutex.run(section),
      register: (copy) => this.#changeSync?.register(copy),
      syncNow: () => this.#pump(),
      onChange: () => this.#waiters.notify(),
      isClosing: () => this.#closing !== null || this.#mirror !== mirror || this.#state !== 'ready',
    })
  }

  #startTimer(): void {
    this.#timer = setInterval(() => this.#poll(), this.#options.intervalMs)
    this.#timer.unref()
  }

  /** Commits of other connections show in a number that costs a microsecond to read. */
  #poll(): void {
    try {
      const version = this.#access.dataVersion()
      if (version !== null && version !== this.#lastDataVersion) {
        this.#lastDataVersion = version
        this.wake()
      }
      if (this.#syncFailures > 0 && Date.now() >= this.#retryAtMs) {
        this.wake()
      }
      this.#pruner?.tick(this.#mirror?.position ?? 0, this.#oldestNeeded())
      this.#requeue()
    } catch (error) {
      this.#options.onError?.(error)
    }
  }

  /**
   * Copies that were taken off because of a schema change or a failure are made again, and those of
   * listed tables that were created only now are made.
   */
  #requeue(): void {
    const { tables: listed } = this.#options
    for (const table of this.#tables.values()) {
      const isWanted = table.tableId !== null || (listed !== 'auto' && this.mayCopy(table.name))
      if (table.state === 'absent' && isWanted && Date.now() >= table.retryAtMs) {
        this.requestCopy(table.name)
      } else if (table.live?.canWiden && !table.isCopying && Date.now() >= table.retryAtMs) {
        // One attempt per second at most, so that a column with ever new classes cannot keep us busy.
        table.retryAtMs = Date.now() + limits.copyRetryMs
        this.#copies?.add(table)
      }
    }
  }

  #oldestNeeded(): number {
    const copies = [...this.#tables.values()].flatMap((table) => table.copyPosition ?? [])
    return Math.min(this.position, ...copies)
  }

  /** Syncs until nothing is pending; one at a time. */
  #pump(): Promise<void> {
    const changeSync = this.#changeSync
    if (changeSync === null || this.#state !== 'ready') {
      return Promise.resolve()
    }
    this.#pumping ??= this.#sync(changeSync).finally(() => {
      this.#pumping = null
      this.#waiters.notify()
    })
    return this.#pumping
  }

  async #sync(changeSync: ChangeSync): Promise<void> {
    try {
      for (let isPending = true; isPending && this.#closing === null; ) {
        const startedAtMs = performance.now()
        isPending = await this.#olapMutex.run(() => changeSync.run())
        this.#freshAtMs = startedAtMs
        this.#syncFailures = 0
        this.#waiters.notify()
      }
      await this.#pruner?.afterSync(
        this.position,
        this.#oldestNeeded(),
        () => this.#closing !== null,
      )
    } catch (error) {
      this.#options.onError?.(error)
      this.#failure = error
      this.#syncFailures++
      this.#retryAtMs = Date.now() + limits.copyRetryMs
      const hasLostPlace = error instanceof HtapError && error.facts['lostPlace'] === true
      if (hasLostPlace || this.#syncFailures >= limits.syncFailuresMax) {
        // Not awaited: it waits for copies, and those wait for this sync.
        void this.#startOver()
      }
    }
  }

  /**
   * The mirror has lost its place, or its store fails again and again: close it and open it anew,
   * which makes of it whatever can still be used.
   */
  async #startOver(): Promise<void> {
    this.#stopTimer()
    this.#syncFailures = 0
    this.#retryAtMs = 0
    this.#state = 'idle'
    await this.#copies?.close()
    await this.#olapMutex.run(async () => this.#mirror?.close())
    this.#mirror = null
    for (const table of this.#tables.values()) {
      Object.assign(table, { state: 'absent', live: null, copyPosition: null, retryAtMs: 0 })
    }
    void this.#open()
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearInterval(this.#timer)
    }
    this.#timer = null
  }

  async #readSchemaVersion(): Promise<number> {
    return (
      this.#access.readNow(
        (database) => this.#stateReader?.schemaVersion() ?? readSchemaVersion(database),
      ) ?? (await this.#access.read(readSchemaVersion))
    )
  }

  async #reloadSchema(): Promise<void> {
    await this.#schema.reload(false)
    this.#waiters.notify()
    this.#requeue()
  }

  async #close(): Promise<void> {
    this.#stopTimer()
    await this.#opening?.catch(() => undefined)
    await this.#copies?.close()
    this.#waiters.notify()
    await this.#olapMutex.run(async () => {
      const wasReady = this.#state === 'ready'
      this.#state = 'closed'
      if (wasReady) {
        const isInMemory = this.#options.olapPath === ':memory:'
        await this.#pruner?.close(this.position, isInMemory).catch(() => undefined)
      }
      await this.#workerReader?.close()
      await this.#mirror?.close()
    })
    this.#access.close()
  }
}
