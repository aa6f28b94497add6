/** Every way in which this package itself can fail, as a stable code. */
export type HtapErrorCode =
  | 'assertion'
  | 'closed'
  | 'config-invalid'
  | 'history-failed'
  | 'history-incomplete'
  | 'history-missing'
  | 'history-unusable'
  | 'read-only-violation'
  | 'migration-lock-held'
  | 'mirror-unavailable'
  | 'olap-failed'
  | 'olap-result-unexpected'
  | 'route-impossible'
  | 'streaming-unsupported'
  | 'sync-failed'
  | 'table-unknown'
  | 'wait-timeout'

export interface HtapErrorProps {
  /** What the user can do about it, as one sentence. */
  readonly hint?: string
  readonly cause?: unknown
  /** Facts that a program may want to read. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/**
 * The one error class of this package. Errors of SQLite itself are passed on as
 * better-sqlite3 throws them, so that existing handlers keep working.
 *
 * ### Examples
 *
 * ```ts
 * try {
 *   await olap(db.selectFrom('person').selectAll()).execute()
 * } catch (error) {
 *   if (error instanceof HtapError && error.code === 'route-impossible') {
 *     console.log(error.message, error.hint)
 *   }
 * }
 * ```
 */
export class HtapError extends Error {
  readonly code: HtapErrorCode
  readonly hint: string | undefined
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: HtapErrorCode, message: string, props: HtapErrorProps = {}) {
    super(
      props.hint === undefined ? message : `${message} (${props.hint})`,
      props.cause === undefined ? undefined : { cause: props.cause },
    )
    this.name = 'HtapError'
    this.code = code
    this.hint = props.hint
    this.facts = Object.freeze({ ...props.facts })
  }
}
