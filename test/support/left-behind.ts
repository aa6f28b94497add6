import { cpSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { HtapError } from '../../dist/src/core/htap-error.js'
import type { SetAsideReport } from '../../dist/sync/mirror-file.js'
import { SyncHarness } from './sync-harness.js'
import { tempFolder } from './temp-folder.js'

export const tables = ['t', 'u']
export const schema = `
  create table t(id integer primary key, k text unique, x real);
  insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 3000)
    select v, 'key ' || (v * 7919), v / 8.0 from s;
  create table u(a integer, b text, primary key (a, b)) without rowid;
  insert into u select id % 50, 'b' || id from t`

/** A database with its mirror, as a process leaves them behind that was killed. */
export interface LeftBehind {
  readonly path: string
  readonly mirror: string
  readonly wal: string
}

/** Makes what tests damage copies of. */
async function leaveBehind(origin: LeftBehind): Promise<void> {
  const h = await SyncHarness.open('file')
  h.database.exec(schema)
  await h.mirror(...tables)
  await h.restart()
  h.database.exec("update t set x = x + 1 where id % 3 = 0; insert into u values (99, 'late')")
  await h.engine.syncNow()
  // A copy of the open files is what is left of a process that is killed now.
  cpSync(`${h.path}-htap.duckdb`, origin.mirror)
  cpSync(`${h.path}-htap.duckdb.wal`, origin.wal)
  h.database.exec(`vacuum into '${origin.path}'`)
  expect(statSync(origin.wal).size).toBeGreaterThan(1000)
}

function leftBehindIn(folder: string): LeftBehind {
  const path = join(folder, 'test.db')
  return { path, mirror: `${path}-htap.duckdb`, wal: `${path}-htap.duckdb.wal` }
}

/**
 * Opens what was left behind, after `damage` was done to it.
 *
 * @param folder where the undamaged files are kept from test to test
 */
export async function reopen(
  folder: string,
  damage: (left: LeftBehind) => void,
): Promise<{ readonly h: SyncHarness; readonly reports: SetAsideReport[] }> {
  const origin = leftBehindIn(folder)
  if (!existsSync(origin.path)) {
    await leaveBehind(origin)
  }
  const left = leftBehindIn(tempFolder())
  for (const name of ['path', 'mirror', 'wal'] as const) {
    cpSync(origin[name], left[name])
  }
  damage(left)
  const reports: SetAsideReport[] = []
  const h = await SyncHarness.openFile(left.path, { onSetAside: (report) => reports.push(report) })
  return { h, reports }
}

/** Waits until the mirror serves again, whatever failed on the way, and proves it equal. */
export async function expectHealed(h: SyncHarness): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      await h.mirror(...tables)
      if (tables.every((name) => h.engine.tables.findLive(name) !== undefined)) {
        // A block that is damaged shows only now.
        const { tables: verified } = await h.engine.verify(tables)
        if (verified.length < tables.length) {
          continue
        }
        return await h.expectEqual(...tables)
      }
    } catch (error) {
      if (!(error instanceof HtapError) || Date.now() > deadline) {
        throw error
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
