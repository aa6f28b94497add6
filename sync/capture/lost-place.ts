import { HtapError } from '../../src/core/htap-error.js'

/**
 * The log does not lead on from where the mirror stands: the database was set back or replaced, or
 * somebody has shortened the log without regard to it. A new mirror is all that helps.
 */
export function lostPlace(): HtapError {
  return new HtapError('sync-failed', 'the mirror has lost its place in the change log', {
    hint: 'nothing: a new copy is being made',
    facts: { lostPlace: true },
  })
}

export function isLostPlace(error: unknown): boolean {
  return error instanceof HtapError && error.facts['lostPlace'] === true
}
