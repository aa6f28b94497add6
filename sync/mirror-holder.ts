import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { isLostPlace } from './capture/lost-place.js'
import { Mirror, type OpenedMirror } from './mirror.js'
import type { SetAsideReport } from './mirror-file.js'
import type { MirrorSession } from './mirror-session.js'
import type { SourceAccess } from './read/source-access.js'
import { RetryPause } from './retry-pause.js'
import type { SyncOptions } from './sync-options.js'

/**
 * Whether the engine can serve, and why not.
 *
 * - `standby`: another process or thread keeps the mirror; this one takes over when that one ends
 * - `failed`: the mirror cannot be opened; it is tried again and again
 */
export type EngineState = 'idle' | 'opening' | 'ready' | 'standby' | 'failed' | 'closed'

/** Where nothing serves before somebody tries again. */
export const unavailableStates: ReadonlySet<EngineState> = new Set(['standby', 'failed', 'closed'])

interface MirrorHolderProps {
  readonly access: SourceAccess
  readonly options: SyncOptions
  readonly createSession: (mirror: Mirror) => MirrorSession
  /** Makes what was opened ready to serve. */
  readonly begin: (opened: OpenedMirror) => Promise<void>
  /** The session serves from now on. */
  readonly onReady: () => void
  /** Nothing serves now, and nothing is about to. */
  readonly onUnavailable: () => void
  /** The session ends: nothing new is to begin. */
  readonly onLost: () => void
  /** The session has ended; what was in its store is not there any more. */
  readonly onClosed: () => void
  readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
}

/**
 * Holds the mirror: opens it, tries again while it cannot be had, and opens it anew when it has
 * failed, or begins a new one when its file is at fault. SQLite answers all the while.
 */
export class MirrorHolder {
  readonly #props: MirrorHolderProps
  readonly #openings = new RetryPause()
  readonly #reopenings = new RetryPause()
  #state: EngineState = 'idle'
  #session: MirrorSession | null = null
  #opening: Promise<boolean> | null = null
  #retryTimer: NodeJS.Timeout | null = null
  #isClosing = false
  /** Why the file is not to be used again; null if it is. */
  #suspect: unknown = null
  /** The last failure, null when all is well again. */
  failure: unknown = null
  setAside: SetAsideReport | null = null

  constructor(props: MirrorHolderProps) {
    this.#props = props
  }

  get state(): EngineState {
    return this.#state
  }

  get session(): MirrorSession | null {
    return this.#session
  }

  /** The session that queries may use; null unless it is open and serves. */
  get serving(): MirrorSession | null {
    return this.#state === 'ready' ? this.#session : null
  }

  /** Where the mirror lives: its path, or `:memory:`; null unless it is open and serves. */
  get path(): string | null {
    return this.serving?.mirror.path ?? null
  }

  /** Opens the mirror if need be; false when it cannot be opened now. */
  open(): Promise<boolean> {
    if (this.#state === 'ready') {
      return Promise.resolve(true)
    }
    if (this.#opening !== null) {
      return this.#opening
    }
    if (this.#isClosing || this.#retryTimer !== null) {
      return Promise.resolve(false)
    }
    return this.#begin(async () => undefined, 0)
  }

  /**
   * Something failed in the store or on the way to it. Opens the mirror anew where that is needed, and
   * begins a new one where its file is at fault.
   *
   * @param isLost nothing less helps, whatever the failure looks like
   * @returns the store as a whole is at fault
   */
  noteFailure(error: unknown, isLost: boolean): boolean {
    const reason = error instanceof HtapError ? error.facts['reason'] : undefined
    if (isLost || isLostPlace(error) || reason === 'damaged' || reason === 'invalidated') {
      this.#startOver(error, reason)
    }
    return reason !== undefined
  }

  /** As `noteFailure`, for what failed while nobody waited for it. */
  noteBackgroundFailure(error: unknown): void {
    this.#props.options.onError?.(error)
    this.failure = error
    this.noteFailure(error, false)
  }

  /** Ends what is under way, then closes. */
  async close(leave: (session: MirrorSession) => Promise<void>): Promise<void> {
    this.#isClosing = true
    this.#stopRetrying()
    await this.#opening
    this.#props.onLost()
    await this.#session?.copies.close()
    await this.#props.exclusively(async () => {
      // What is opened is serving by now, or closed again.
      const { serving } = this
      this.#state = 'closed'
      if (serving !== null) {
        await leave(serving)
        await serving.mirror.close()
      }
    })
  }

  #startOver(cause: unknown, reason: unknown): void {
    if (this.#state !== 'ready' || this.#isClosing) {
      return
    }
    this.failure = cause
    const pauseMs = this.#reopenings.next()
    const isOfStore = cause instanceof HtapError && cause.code === 'olap-failed'
    const isEnough = this.#reopenings.failures >= limits.reopeningsMax && reason !== 'no-space'
    if (reason === 'damaged' || (isOfStore && isEnough)) {
      this.#suspect = cause
    }
    const session = this.#session
    this.#state = 'opening'
    this.#props.onLost()
    // The first time at once: whatever failed is likely to be over.
    const delayMs = this.#reopenings.failures === 1 ? 0 : pauseMs
    void this.#begin(async () => {
      await session?.copies.close()
      await this.#closeSession()
    }, delayMs)
  }

  #begin(prepare: () => Promise<void>, delayMs: number): Promise<boolean> {
    const before = this.#opening
    const opening = (async () => {
      await before
      this.#state = 'opening'
      await prepare()
      if (delayMs > 0 && !this.#isClosing) {
        this.#state = 'failed'
        this.#props.onUnavailable()
        this.#retryIn(delayMs)
        return false
      }
      return !this.#isClosing && (await this.#openMirror())
    })().finally(() => {
      if (this.#opening === opening) {
        this.#opening = null
      }
    })
    this.#opening = opening
    return opening
  }

  async #openMirror(): Promise<boolean> {
    try {
      const opened = await this.#openOrShare()
      this.#suspect = null
      this.#session = this.#props.createSession(opened.mirror)
      this.#noteSetAside(opened.setAside)
      await this.#props.begin(opened)
      this.#state = 'ready'
      this.failure = null
      this.#openings.reset()
      this.#props.onReady()
      return true
    } catch (error) {
      this.failure = error
      await this.#closeSession()
      const isStandby = isLocked(error)
      this.#state = isStandby ? 'standby' : 'failed'
      if (!isStandby) {
        this.#props.options.onError?.(error)
      }
      this.#props.onUnavailable()
      this.#retryIn(isStandby ? limits.standbyPollMs : this.#openings.next())
      return false
    }
  }

  #noteSetAside(report: SetAsideReport | null): void {
    if (report !== null) {
      this.setAside = report
      try {
        this.#props.options.onSetAside?.(report)
      } catch {
        // What the application makes of it changes nothing here.
      }
    }
  }

  async #openOrShare(): Promise<OpenedMirror> {
    const { access, options } = this.#props
    try {
      return await Mirror.open(access, options, this.#suspect)
    } catch (error) {
      if (options.whenLocked === 'memory' && isLocked(error)) {
        return await Mirror.open(access, { ...options, olapPath: ':memory:' })
      }
      throw error
    }
  }

  async #closeSession(): Promise<void> {
    const mirror = this.#session?.mirror
    await this.#props.exclusively(async () => mirror?.close().catch(() => undefined))
    this.#session = null
    this.#props.onClosed()
  }

  #retryIn(pauseMs: number): void {
    if (!this.#isClosing) {
      this.#retryTimer = setTimeout(() => {
        this.#retryTimer = null
        void this.open()
      }, pauseMs)
      this.#retryTimer.unref()
    }
  }

  #stopRetrying(): void {
    if (this.#retryTimer !== null) {
      clearTimeout(this.#retryTimer)
    }
    this.#retryTimer = null
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof HtapError && error.facts['reason'] === 'locked'
}
