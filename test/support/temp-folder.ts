import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'

/** A folder that is gone when the test has finished. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder for all tests of a file, gone when the last of them has finished. */
export function sharedTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
