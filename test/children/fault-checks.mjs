// What may happen to a call while something fails, for the lives of `fault-sweep.mjs`.
import { HtapError } from 'kysely-htap'

/** What was asked for last, to say where a life hangs. */
export const progress = { phase: '' }

/** What asks for the mirror itself may be refused, with a word on what to do. */
export async function insist(check, work) {
  progress.phase = String(work)
  try {
    return await work()
  } catch (error) {
    check(isTyped(error), `refused without a type: ${error.stack}`)
    return undefined
  }
}

export function isTyped(error) {
  return error instanceof HtapError && error.code !== 'assertion' && error.hint !== undefined
}
