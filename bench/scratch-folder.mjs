import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives a folder to an action, and removes it afterwards. */
export async function inScratchFolder(action) {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-bench-'))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
