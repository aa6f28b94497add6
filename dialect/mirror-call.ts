import { HtapError } from '../src/core/htap-error.js'
import { messageOf } from '../src/core/message-of.js'

/**
 * Runs what was asked of the mirror by name. Queries never show a failure of the mirror; here
 * somebody waits for it and is told what it means.
 *
 * @throws HtapError `sync-failed` for whatever SQLite or the column store threw
 */
export async function callMirror<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof HtapError && error.hint !== undefined) {
      throw error
    }
    throw new HtapError('sync-failed', `${what} failed: ${messageOf(error)}`, {
      hint: 'queries go on, answered by SQLite; the mirror is tried again by itself, see status()',
      cause: error,
    })
  }
}
