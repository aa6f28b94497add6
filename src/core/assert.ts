import { HtapError } from './htap-error.js'

/** States an invariant of our own. A failure is our bug, never the user's, so it stays on. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) {
    throw new HtapError('assertion', `invariant broken: ${why}`, {
      hint: 'this is a bug in kysely-htap, please report it',
    })
  }
}

/** Closes a `switch` over a union: the compiler proves that no case is missing. */
export function unreachable(value: never): never {
  throw new HtapError('assertion', `unreachable value: ${String(value)}`)
}
