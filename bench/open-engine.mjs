import { openControlConnection } from '../dist/src/oltp/open-read-connection.js'
import { OwnConnectionAccess } from '../dist/sync/read/source-access.js'
import { SyncEngine } from '../dist/sync/sync-engine.js'

const copyWaitMs = 600_000

/**
 * The sync engine by itself, beside a WAL database; its mirror is a file.
 *
 * @param isSynced false to leave everything that is pending to the caller's `syncNow()`
 */
export async function openEngine(path, { isSynced = true } = {}) {
  const errors = []
  const engine = new SyncEngine(new OwnConnectionAccess(await openControlConnection(path), path), {
    olapPath: `${path}-htap.duckdb`,
    fileMode: null,
    memoryLimit: '512MB',
    threads: 2,
    tables: 'auto',
    intervalMs: 25,
    onError: (error) => errors.push(error),
  })
  engine.start()
  if (isSynced) {
    await engine.syncNow()
  }
  return Object.freeze({
    engine,
    async copy(...names) {
      for (const name of names) {
        engine.requestCopy(name)
      }
      await engine.waitForCopies(names, copyWaitMs)
      for (const name of names) {
        const { state, reason } = engine.tables.find(name) ?? {}
        if (state !== 'live') {
          throw new Error(`${name} is ${state}: ${reason} ${errors.map(String)}`)
        }
      }
    },
  })
}
