import { HtapError, type HtapErrorCode } from './htap-error.js'

/** An error as it gets from one thread to another: a copy of an Error keeps nothing but its message. */
export interface CarriedError {
  readonly isOurs: boolean
  readonly message: string
  /** The code of ours or of SQLite; null for any other error. */
  readonly code: string | null
  readonly facts: Readonly<Record<string, unknown>>
}

export function carryError(error: unknown): CarriedError {
  const isOurs = error instanceof HtapError
  const code = (error as { readonly code?: unknown } | null)?.code
  return {
    isOurs,
    message: error instanceof Error ? error.message : String(error),
    code: typeof code === 'string' ? code : null,
    facts: isOurs ? error.facts : {},
  }
}

/** The error with its code; the hint of ours stands in its message. */
export function arrivedError({ isOurs, message, code, facts }: CarriedError): Error {
  return isOurs
    ? new HtapError(code as HtapErrorCode, message, { facts })
    : Object.assign(new Error(message), code === null ? {} : { code })
}
