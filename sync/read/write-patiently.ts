import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SourceAccess } from './source-access.js'

/**
 * Runs a write turn and tries again while another process holds the write lock, waiting between
 * the attempts without blocking the event loop.
 *
 * @throws the last SQLITE_BUSY when the lock does not come free in time
 */
export async function writePatiently<T>(
  access: SourceAccess,
  turn: (database: SqliteDatabase) => T,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await access.write(turn)
    } catch (error) {
      if (!isBusy(error) || attempt === limits.writeAttemptsMax) {
        throw error
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, Math.min(attempt * 2, limits.writeRetryMsMax))
      })
    }
  }
}

export function isBusy(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED')
}
