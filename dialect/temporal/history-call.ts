import { HtapError } from '../../src/core/htap-error.js'
import { messageOf } from '../../src/core/message-of.js'

/**
 * Runs what reads or writes the history. Errors of a user's own query or values pass unchanged.
 *
 * @throws HtapError `history-failed` for what SQLite or the system threw about a file
 */
export async function callHistory<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw historyFailure(error)
  }
}

/** The same for rows that are read one after the other. */
export async function* readHistory<T>(rows: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* rows
  } catch (error) {
    throw historyFailure(error)
  }
}

function historyFailure(error: unknown): unknown {
  const code =
    error instanceof HtapError ? null : (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && fileCodes.test(code)
    ? new HtapError(
        'history-failed',
        `the history cannot be read or written: ${messageOf(error)}`,
        {
          hint: 'no change is lost, the log keeps it until the history has it: see the cause, and try again',
          cause: error,
          facts: { code },
        },
      )
    : error
}

/** SQLite's, and the system's. */
const fileCodes = /^(SQLITE_|E[A-Z]+$)/
