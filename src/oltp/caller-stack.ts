/**
 * Makes the stack of a SQLite error begin at the caller of this function. V8 keeps ten
 * frames; those of this package would push the application's own out of sight.
 *
 * To be called before anything is awaited: Kysely's chain of promises inside a transaction
 * breaks V8's asynchronous stack.
 *
 * Errors of the application, thrown by its SQL functions for example, keep their stack.
 *
 * @returns the same error
 */
export function withCallerStack(error: unknown): unknown {
  if (error instanceof Error && error.name === 'SqliteError') {
    Error.captureStackTrace(error, withCallerStack)
  }
  return error
}
