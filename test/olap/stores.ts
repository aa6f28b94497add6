import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { DuckDbStoreOptions } from '../../dist/src/olap/duckdb-settings.js'
import { openDuckDbStore } from '../../dist/src/olap/duckdb-store.js'
import type { OlapStore } from '../../dist/src/olap/olap-store.js'

const opened: OlapStore[] = []
const folders: string[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A store that is closed after the test. */
export async function openStore(options: Partial<DuckDbStoreOptions> = {}): Promise<OlapStore> {
  const store = await openDuckDbStore({
    path: ':memory:',
    memoryLimit: '256MB',
    threads: 2,
    tempDirectory: null,
    ...options,
  })
  opened.push(store)
  return store
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-olap-'))
  folders.push(folder)
  return folder
}

/** Runs for seconds when nobody stops it. */
export const longStatement = {
  sql: 'select sum(a.range * b.range) as s from range(300000) a, range(300000) b',
  parameters: [],
}

export const oneColumn = { columnNames: ['x'], integers: 'number' } as const
