import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { HtapError } from '../../dist/src/core/htap-error.js'
import { limits } from '../../dist/src/core/limits.js'
import type { SetAsideReport } from '../../dist/sync/mirror-file.js'
import { overwrite } from '../support/damage.js'
import { expectHealed, reopen, tables } from '../support/left-behind.js'
import type { SyncHarness } from '../support/sync-harness.js'
import { sharedTempFolder, tempFolder } from '../support/temp-folder.js'

// The store fails while it is in use. DuckDB says so with errors, one of which is the end of that
// instance; nobody sees them but who asked the store itself.

const origin = sharedTempFolder()
const invalidated = new HtapError('olap-failed', 'the database has been invalidated', {
  facts: { reason: 'invalidated' },
})

async function untilSetAside(reports: readonly SetAsideReport[]): Promise<void> {
  const deadline = Date.now() + 20_000
  while (reports.length === 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(reports).toHaveLength(1)
}

it('should begin a mirror anew when a block that is read turns out to be damaged', async () => {
  const { h, reports } = await reopen(origin, () => undefined)
  await h.engine.open()
  const mirror = `${h.path}-htap.duckdb`
  // Nothing but the catalogue is in memory yet; everything behind the headers is overwritten.
  overwrite(mirror, 12_288, statSync(mirror).size, () => 255)
  await expect(h.engine.verify()).rejects.toMatchObject({
    code: 'olap-failed',
    facts: { reason: 'damaged' },
  })
  await untilSetAside(reports)
  await expectHealed(h)
})

it('should hear from a store that it serves nothing more', () => {
  // Under a limit of 3 MB for each file.
  const child = fileURLToPath(new URL('../children/full-checkpoint.mjs', import.meta.url))
  const limited = `trap '' XFSZ; ulimit -f 6000; exec "$0" "$@"`
  const args = ['-c', limited, process.execPath, child, join(tempFolder(), 'full.duckdb')]
  const { stdout, stderr, status } = spawnSync('sh', args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const { seen, after } = JSON.parse(stdout) as { seen: string[]; after: string }
  expect(seen).toContain('done')
  expect(after).toBe('invalidated')
})

it('should open a store anew that serves nothing more, and go on with its copies', async () => {
  const { h, reports } = await reopen(origin, () => undefined)
  await expectHealed(h)
  const copies = tables.map((name) => h.engine.tables.findLive(name)?.sqlName)
  expect(h.engine.noteFailure(invalidated)).toBe(true)
  expect(h.engine.state).toBe('opening')
  await expectHealed(h)
  expect(tables.map((name) => h.engine.tables.findLive(name)?.sqlName)).toEqual(copies)
  expect(reports).toEqual([])
  // Again and again: then it must be the file.
  const deadline = Date.now() + 40_000
  let failures = 1
  while (reports.length === 0 && Date.now() < deadline) {
    failures += h.engine.state === 'ready' ? 1 : 0
    h.engine.noteFailure(invalidated)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(reports).toHaveLength(1)
  expect(failures).toBe(limits.reopeningsMax)
  await expectHealed(h)
})

it('should say that it waits when a sync does not come to its end', async () => {
  const { h } = await reopen(origin, () => undefined)
  await expectHealed(h)
  const { writer } = h.engine.store!
  const busy = writer.values('select count(*) from range(60000000) where random() < 0')
  h.database.exec('update t set x = x + 1')
  await expect(h.engine.syncNow(20)).rejects.toMatchObject({ code: 'wait-timeout' })
  await busy
  await expectHealed(h)
})

// Ten minutes are for a copy that gets on; where there is none any more, nobody waits for it.
it.each<[string, (h: SyncHarness) => unknown]>([
  ['fails', (h) => h.engine.noteFailure(invalidated)],
  ['is closed', (h) => h.engine.close()],
])(
  'should end a wait for a mirror that %s',
  async (_, end) => {
    const { h } = await reopen(origin, () => undefined)
    await expectHealed(h)
    h.engine.noteFailure(invalidated)
    await expectHealed(h)
    h.database.exec('update t set x = x + 1')
    const waiting = h.engine.syncNow()
    waiting.catch(() => undefined)
    // Until it waits, before the loop has its turn.
    for (let turns = 0; turns < 50; turns++) {
      await null
    }
    end(h)
    await expect(waiting).rejects.toMatchObject({ code: 'mirror-unavailable' })
  },
  20_000,
)
