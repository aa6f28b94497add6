import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { reach } from '../../src/core/outside-world.js'
import { historySchema, sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { historyLog } from '../capture/history-log.js'
import type { SourceAccess } from '../read/source-access.js'
import { writePatiently } from '../read/write-patiently.js'
import { securely } from './erase-from-log.js'

/**
 * Overwrites what deleted rows have left in the history and in the free pages of the source, and brings
 * both to their files.
 *
 * @throws HtapError `wait-timeout` when somebody reads an old state of a file without end
 */
export async function overwriteTraces(
  history: SqliteDatabase,
  access: SourceAccess,
): Promise<void> {
  rewrite(history)
  reach('history-erase.rewritten')
  await checkpoint(history, historySchema)
  await zeroFreePages(access)
  await checkpoint(history, sourceSchema)
}

/**
 * Splitting a page leaves copies of rows behind that `secure_delete` does not find; a file that is
 * written anew has none.
 */
function rewrite(history: SqliteDatabase): void {
  // On disk: what it writes first would otherwise stand in memory as a whole.
  history.exec('pragma temp_store = file')
  try {
    history.exec(`vacuum ${historySchema}`)
  } finally {
    history.exec('pragma temp_store = memory')
  }
}

/**
 * The log was pruned without overwriting, for its speed: what it held stands in free pages. All of them
 * are taken, and given back as zeros. VACUUM would number the application's rows anew.
 */
async function zeroFreePages(access: SourceAccess): Promise<void> {
  const table = `main.${historyLog.zerosTable}`
  const freeBytes = (source: SqliteDatabase) =>
    ['freelist_count', 'page_size']
      .map((name) => Number(source.prepare(`pragma main.${name}`).pluck().get()))
      .reduce((product, value) => product * value)
  const take = `insert into ${table} values (zeroblob(?))`
  for (let left = await access.read(freeBytes); left > 0; left -= limits.erasedBytesMax) {
    await writePatiently(access, (source) => {
      const bytes = Math.min(freeBytes(source), limits.erasedBytesMax)
      return securely(source, () => source.prepare(take).run(BigInt(bytes)))
    })
    await turnOfLoop()
  }
  for (let deleted = 1; deleted > 0; ) {
    deleted = await writePatiently(access, (source) =>
      securely(source, () =>
        source
          .prepare(`delete from ${table} where rowid = (select min(rowid) from ${table})`)
          .run(),
      ),
    ).then(({ changes }) => changes)
    await turnOfLoop()
  }
}

/** Moves what the log of a file has into the file, over what stood there, and empties it. */
async function checkpoint(history: SqliteDatabase, schema: string): Promise<void> {
  for (let attempt = 1; attempt <= limits.eraseAttemptsMax; attempt++) {
    if (!isBlocked(history, schema)) {
      return
    }
    await new Promise<void>((resolve) => {
      setTimeout(resolve, limits.eraseRetryMs)
    })
  }
  throw new HtapError('wait-timeout', 'erased rows stand in a log that somebody still reads', {
    hint: 'end long reads, and erase the same keys again',
    facts: { schema },
  })
}

/** Without a wait, which would block the event loop. */
function isBlocked(history: SqliteDatabase, schema: string): boolean {
  history.exec('pragma busy_timeout = 0')
  try {
    const [isBusy] = history
      .prepare(`pragma ${schema}.wal_checkpoint(truncate)`)
      .raw()
      .safeIntegers(false)
      .get() as [number]
    return isBusy !== 0
  } finally {
    history.exec(`pragma busy_timeout = ${limits.readBusyTimeoutMs}`)
  }
}
