import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { expectHealed, reopen } from '../support/left-behind.js'
import { sharedTempFolder } from '../support/temp-folder.js'

// Files that other users of DuckDB could not open again after a kill, by the issue in which they told
// of it. A mirror has no index, is never altered and does no upsert; should any of it be in its file
// all the same, the mirror must heal. The version that this package ships with opens them all.

const child = fileURLToPath(new URL('../children/unlucky-duckdb.mjs', import.meta.url))
const names: string[] = JSON.parse(
  execFileSync(process.execPath, [child, ':memory:'], { encoding: 'utf8' }),
)
const origin = sharedTempFolder()

it.each(names)('should open a mirror after a kill with %s', async (name) => {
  const { h, reports } = await reopen(origin, ({ mirror }) => {
    const { signal, stderr } = spawnSync(process.execPath, [child, mirror, name], {
      encoding: 'utf8',
    })
    expect(signal, stderr).toBe('SIGKILL')
  })
  await expectHealed(h)
  expect(reports).toEqual([])
})
