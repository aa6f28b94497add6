import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

// Kills a process that writes, copies and applies, at random moments. Each new process first proves
// that its mirror equals SQLite. HTAP_KILLS sets how many are killed, HTAP_SEED repeats a run.
const kills = repetitions('HTAP_KILLS', 8)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

it(`should find the mirror equal after each of ${kills} kills (seed ${seed})`, {
  timeout: 3_600_000,
}, async () => {
  const path = join(tempFolder(), 'crash.db')
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
  for (let kill = 1; kill <= kills; kill++) {
    const child = new Child('crash-writer.mjs', [path, `${seed + kill}`])
    expect(await child.nextLine(), `after kill ${kill - 1}`).toBe('equal')
    await new Promise((resolve) => setTimeout(resolve, random(600)))
    child.process.kill('SIGKILL')
    expect((await child.ended()).signal, child.errors).toBe('SIGKILL')
  }
})
