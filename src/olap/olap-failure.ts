import { HtapError } from '../core/htap-error.js'

/** Wraps whatever the column store threw; errors of our own pass unchanged. */
export function olapFailure(error: unknown): HtapError {
  if (error instanceof HtapError) {
    return error
  }
  const message = error instanceof Error ? error.message : String(error)
  return new HtapError('olap-failed', `the column store failed: ${message}`, { cause: error })
}

/** What every operation on a closed store answers. */
export function storeClosed(): HtapError {
  return new HtapError('closed', 'the column store is closed')
}
