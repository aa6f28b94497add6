import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { DialectAdapter } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HtapAdapter } from '../../dist/dialect/index.js'
import { MigrationLock } from '../../dist/dialect/migration-lock.js'
import { FileLock } from '../../dist/src/oltp/file-lock.js'
import { createMigrator, type Migration } from '../support/migrator.js'
import { createItems, openShop, type Shop, temporaryFile } from './shop.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const options = { lockTable: 'kysely_migration_lock', lockRowId: 'migration_lock' }

/** Another process that runs `script`; its lines arrive one by one. */
function startProcess(script: string): { child: ChildProcess; nextLine: () => Promise<string> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return { child, nextLine: async () => (await lines.next()).value as string }
}

function holdLock(path: string): string {
  const lock = new URL('../../dist/src/oltp/file-lock.js', import.meta.url).href
  return `
    import { FileLock } from '${lock}'
    const lock = await FileLock.tryAcquire('${path}')
    console.log(lock === null ? 'refused' : 'held')
    setInterval(() => {}, 1000)`
}

describe('the migration lock', () => {
  it('keeps migrations of two Kysely instances apart', async () => {
    const path = temporaryFile()
    const running: string[] = []
    let most = 0
    const migration: Migration<Shop> = {
      async up(db) {
        running.push('up')
        most = Math.max(most, running.length)
        await pause(30)
        await createItems(db)
        running.pop()
      },
    }
    const migrate = async () => {
      const db = openShop({ database: path })
      const provider = { getMigrations: async () => ({ first: migration }) }
      const { error, results } = await (await createMigrator({ db, provider })).migrateToLatest()
      expect(error).toBeUndefined()
      return results?.length
    }
    expect((await Promise.all([migrate(), migrate(), migrate()])).sort()).toEqual([0, 0, 1])
    expect(most).toBe(1)
    expect(existsSync(`${path}-htap-migration`)).toBe(false)
  })

  it('keeps two migrations of one database in memory apart', async () => {
    const db = openShop({ database: ':memory:' })
    const adapter: DialectAdapter = new HtapAdapter()
    await adapter.acquireMigrationLock(db, options)
    let entered = false
    const second = adapter.acquireMigrationLock(db, options).then(() => {
      entered = true
    })
    await pause(10)
    expect(entered).toBe(false)
    await adapter.releaseMigrationLock(db, options)
    await second
    await adapter.releaseMigrationLock(db, options)
  })

  it('waits for another process, and is free when that one is killed', async () => {
    const path = temporaryFile()
    const db = openShop({ database: path })
    await createItems(db)
    const other = startProcess(holdLock(`${path}-htap-migration`))
    expect(await other.nextLine()).toBe('held')
    const adapter: DialectAdapter = new HtapAdapter()
    let entered = false
    const acquired = adapter.acquireMigrationLock(db, options).then(() => {
      entered = true
    })
    await pause(100)
    expect(entered).toBe(false)
    other.child.kill('SIGKILL')
    await once(other.child, 'exit')
    await acquired
    const third = startProcess(holdLock(`${path}-htap-migration`))
    expect(await third.nextLine()).toBe('refused')
    await adapter.releaseMigrationLock(db, options)
    expect(existsSync(`${path}-htap-migration`)).toBe(false)
  })

  it('is refused when another process does not end in time', async () => {
    const path = temporaryFile()
    const db = openShop({ database: path })
    await createItems(db)
    const other = startProcess(holdLock(`${path}-htap-migration`))
    expect(await other.nextLine()).toBe('held')
    const lock = new MigrationLock(200)
    await expect(lock.acquire(db)).rejects.toMatchObject({ code: 'migration-lock-held' })
    other.child.kill('SIGKILL')
    await once(other.child, 'exit')
    await lock.acquire(db)
    await lock.release()
  })

  it('is never held twice, though each holder removes the file', async () => {
    const path = temporaryFile()
    const script = `
      import { openSync, closeSync, unlinkSync } from 'node:fs'
      import { FileLock } from '${new URL('../../dist/src/oltp/file-lock.js', import.meta.url).href}'
      let held = 0, doubled = 0
      const end = Date.now() + 700
      while (Date.now() < end) {
        const lock = await FileLock.tryAcquire('${path}.lock')
        if (lock === null) continue
        held += 1
        try {
          closeSync(openSync('${path}.proof', 'wx'))
          unlinkSync('${path}.proof')
        } catch { doubled += 1 }
        lock.release()
      }
      console.log(JSON.stringify({ held, doubled }))`
    const processes = [startProcess(script), startProcess(script), startProcess(script)]
    const results = await Promise.all(processes.map((it) => it.nextLine()))
    for (const result of results.map((it) => JSON.parse(it) as { held: number; doubled: number })) {
      expect(result.doubled).toBe(0)
      expect(result.held).toBeGreaterThan(0)
    }
    expect(await FileLock.tryAcquire(`${path}.lock`)).not.toBeNull()
  })
})
