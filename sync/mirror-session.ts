import { limits } from '../src/core/limits.js'
import { reach } from '../src/core/outside-world.js'
import { CopyQueue } from './backfill/copy-queue.js'
import { LogPruner } from './capture/log-pruner.js'
import { type ChangeSync, createChangeSync } from './change-sync.js'
import type { Mirror } from './mirror.js'
import type { SourceAccess } from './read/source-access.js'
import type { SourceReaders } from './read/source-reader.js'
import type { SchemaWatch } from './schema-watch.js'
import type { SyncOptions } from './sync-options.js'
import type { TrackedTables } from './tracked-tables.js'
import { type VerifyReport, verifyTables } from './verify.js'

interface MirrorSessionProps {
  readonly mirror: Mirror
  readonly access: SourceAccess
  readonly options: SyncOptions
  readonly readers: SourceReaders
  readonly tables: TrackedTables
  readonly schema: SchemaWatch
  readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
  readonly runLoop: () => Promise<void>
  readonly onChange: () => void
  /** Work in the background has failed. */
  readonly onFailure: (error: unknown) => void
  readonly isClosing: () => boolean
  /** The session is closing, or another has taken its place. */
  readonly isGivenUp: () => boolean
}

/** An open mirror and what works on it: follows changes, makes copies, shortens the log. */
export class MirrorSession {
  readonly mirror: Mirror
  readonly copies: CopyQueue
  readonly #props: MirrorSessionProps
  readonly #changeSync: ChangeSync
  readonly #pruner: LogPruner

  constructor(props: MirrorSessionProps) {
    this.#props = props
    this.mirror = props.mirror
    this.#changeSync = createChangeSync({
      mirror: props.mirror,
      access: props.access,
      readers: props.readers,
      tables: props.tables,
      schema: props.schema,
    })
    this.#pruner = new LogPruner(
      props.access,
      props.mirror.consumerId,
      // Well below the limit of the log, at which a mirror is taken to be too slow.
      Math.min(limits.pruneBacklogRowsMax, Math.floor(props.options.logRowsMax / 2)),
    )
    this.copies = new CopyQueue({
      mirror: props.mirror,
      access: props.access,
      reader: props.readers.worker ?? props.readers.inline,
      schema: props.schema,
      options: props.options,
      exclusively: props.exclusively,
      register: (copy) => this.#changeSync.register(copy),
      syncNow: props.runLoop,
      onChange: props.onChange,
      onFailure: props.onFailure,
      isClosing: props.isGivenUp,
    })
  }

  /** What the log must know of this mirror: which it is, and what it needs no more. */
  get place(): { readonly id: string; readonly position: number } {
    return { id: this.mirror.consumerId, position: this.#oldestPosition() }
  }

  /** Applies what is pending now; returns whether more is to be expected at once. */
  sync(): Promise<boolean> {
    return this.#changeSync.run()
  }

  /** Shortens the log after a sync, when that is worth it. */
  tidy(): Promise<void> {
    return this.#pruner.afterSync(
      this.mirror.position,
      this.#oldestPosition(),
      this.#props.isClosing,
    )
  }

  /** Shortens the log when another consumer needs less of it, if that is worth it. */
  tidyAfterOther(): Promise<void> {
    return this.#pruner.afterOther(this.#oldestPosition(), this.#props.isClosing)
  }

  /** Shortens the log when nothing else happens. */
  tick(): void {
    this.#pruner.tick(this.mirror.position, this.#oldestPosition())
  }

  /** @param syncTo brings the mirror up to what is committed now */
  verify(names: readonly string[], syncTo: () => Promise<void>): Promise<VerifyReport> {
    const { mirror, access, readers, tables, schema, exclusively } = this.#props
    return verifyTables({
      names,
      findLive: (name) => tables.find(name)?.live ?? undefined,
      mirror,
      access,
      reader: readers.worker ?? readers.inline,
      expected: () => mirror.expected(schema.version),
      syncTo,
      exclusively,
    })
  }

  /** Notes in the log how far this mirror has got, or that it ends here. */
  async leaveLog(): Promise<void> {
    await this.#pruner
      .close(this.mirror.position, this.mirror.path === ':memory:')
      .catch(() => undefined)
    reach('close.position-noted')
  }

  #oldestPosition(): number {
    return this.#props.tables.oldestPosition(this.mirror.position)
  }
}
