import { HtapError } from '../core/htap-error.js'
import { messageOf } from '../core/message-of.js'

/**
 * What a failure says about the store as a whole:
 *
 * - `locked`: another process has its file open
 * - `no-space`: the disk, or what the process may write, is full
 * - `not-writable`: the system does not let this process write there
 * - `invalidated`: the engine serves nothing more until the file is opened again
 * - `damaged`: the file does not hold what was written
 */
export type StoreFault = 'locked' | 'no-space' | 'not-writable' | 'invalidated' | 'damaged'

/** Wraps whatever the column store threw; errors of our own pass unchanged. */
export function olapFailure(error: unknown): HtapError {
  if (error instanceof HtapError) {
    return error
  }
  const message = messageOf(error)
  const reason = storeFault(message)
  return new HtapError('olap-failed', `the column store failed: ${message}`, {
    cause: error,
    facts: { ...(reason === null ? {} : { reason }), isPassing: passing.test(message) },
  })
}

/** Memory or a file was wanting, and the same statement may go well another time. */
const passing = /^(IO|Out of Memory) Error: /

/** Wraps what opening the store at `path` threw. */
export function openFailure(error: unknown, path: string): HtapError {
  if (
    error instanceof HtapError &&
    (error.code === 'mirror-unavailable' || error.code === 'closed')
  ) {
    return error
  }
  const message = messageOf(error)
  const fault =
    error instanceof HtapError
      ? (error.facts['reason'] as StoreFault | undefined)
      : storeFault(message)
  const isFit = fault === 'locked' || fault === 'no-space' || fault === 'not-writable'
  return new HtapError(
    'mirror-unavailable',
    `the column store ${path} cannot be opened: ${message}`,
    { cause: error, facts: { reason: isFit ? fault : 'refused', path } },
  )
}

/** What every operation on a closed store answers. */
export function storeClosed(): HtapError {
  return new HtapError('closed', 'the column store is closed')
}

/**
 * The engine gives no codes, only words. Those of a value come in errors of other kinds, so that no
 * text of a user can look like damage.
 */
function storeFault(message: string): StoreFault | null {
  const [, kind = '', words = ''] = /^(\w+) Error: (.*)/s.exec(message) ?? []
  return kind in faults
    ? (faults[kind]?.find(([pattern]) => pattern.test(words))?.[1] ?? null)
    : null
}

type FaultPattern = readonly [RegExp, StoreFault]

const full: FaultPattern = [/no space left|quota exceeded|file too large/i, 'no-space']
const damaged: FaultPattern = [
  /corrupt|checksum|not a valid DuckDB|could not read (enough bytes )?from file|replaying WAL/i,
  'damaged',
]

/** By the engine's kind of error, the first that fits counts. */
const faults: Readonly<Record<string, readonly FaultPattern[]>> = {
  IO: [
    [/could not set lock|conflicting lock/i, 'locked'],
    full,
    [/permission denied|read-only file system|operation not permitted/i, 'not-writable'],
    damaged,
  ],
  FATAL: [[/^/, 'invalidated']],
  TransactionContext: [full, damaged],
  Serialization: [[/^/, 'damaged']],
}
