import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type FailPoint, failPoints } from '../../dist/src/core/outside-world.js'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { HistoryHarness } from '../support/history-harness.js'
import { tempFolder } from '../support/temp-folder.js'

// Kills a process that writes and moves, at random moments and at every fail point of the history, again
// and again on one database. Every transaction must then be in the history exactly once.
// HTAP_HISTORY_KILLS sets how often it is killed at random.
const kills = repetitions('HTAP_HISTORY_KILLS', 3)
/** So long a process may take to come by its fail point. */
const reachMs = 60_000
const armed = fileURLToPath(new URL('../children/arm-fail-point.mjs', import.meta.url))
const points = (Object.keys(failPoints) as FailPoint[]).filter((it) => it.startsWith('history.'))

/** Runs the writer until it dies; returns the last transaction that it knew to be committed. */
async function killed(path: string, point: FailPoint | null, afterMs: number): Promise<number> {
  // Only one table has rows to compare.
  const hit = point === 'history.compared' ? 1 : 2
  const child = new Child(
    'history-writer.mjs',
    [path],
    point === null
      ? {}
      : { NODE_OPTIONS: `--import ${armed}`, HTAP_FAIL_POINT: `${point}:${hit}:0` },
  )
  const late = setTimeout(() => child.process.kill('SIGTERM'), reachMs)
  if (point === null) {
    expect(await child.nextLine()).toBe('ready')
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    child.process.kill('SIGKILL')
  }
  expect({ point, ...(await child.ended()) }).toMatchObject({ point, signal: 'SIGKILL' })
  clearTimeout(late)
  const last = child.remainingLines().at(-1)
  return last === undefined || last === 'ready' ? 0 : Number(last)
}

async function expectWhole(path: string, acknowledged: number): Promise<void> {
  const h = await HistoryHarness.openFile(path)
  const n = h.database.prepare('select n from counter').pluck().get() as number
  expect(n).toBeGreaterThanOrEqual(acknowledged)
  const all = Array.from({ length: n }, (_, index) => index + 1)
  const counter = h.versions('counter').filter(([, op]) => op === 'U')
  const ledger = h.versions('ledger')
  const slot = h.versions('slot').filter(([, op]) => op !== 'D')
  expect(counter.map((row) => row.at(-1))).toEqual(all)
  expect(ledger.map((row) => row[2])).toEqual(all)
  expect(slot.map((row) => row.at(-1))).toEqual(all)
  const positions = (rows: unknown[][]) => rows.map(([position]) => position)
  expect(positions(ledger)).toEqual(positions(counter))
  expect(positions(slot)).toEqual(positions(counter))
  h.expectPresent('slot', 'id', 'id, k, n')
  await h.close()
}

describe('a process that is killed', () => {
  it('should lose no version and double none, at every fail point', {
    timeout: 600_000,
  }, async () => {
    const path = join(tempFolder(), 'kill.db')
    let acknowledged = 0
    for (const point of points) {
      // A table is compared once, when its history begins.
      const isFirst = point === 'history.compared'
      const own = isFirst ? join(tempFolder(), 'first.db') : path
      const last = await killed(own, point, 0)
      acknowledged = isFirst ? acknowledged : Math.max(acknowledged, last)
      await expectWhole(own, isFirst ? 0 : acknowledged)
    }
  })

  it('should lose none at random moments', { timeout: 3_600_000 }, async () => {
    const path = join(tempFolder(), 'kill.db')
    let acknowledged = 0
    for (let kill = 0; kill < kills; kill++) {
      acknowledged = Math.max(acknowledged, await killed(path, null, Math.random() * 300))
      await expectWhole(path, acknowledged)
    }
  })
})
