import { expect, it } from 'vitest'
import { SyncHarness } from '../support/sync-harness.js'

// A copy that was taken off no longer follows the log, while the position of the mirror goes on. Should
// the process end before the table is copied anew, that copy must not serve again.

it('should not serve a copy again that was taken off before a restart', async () => {
  const h = await SyncHarness.open('file')
  h.database.exec(`create table t(a int); insert into t values (1), (2), (3);
    create table u(id integer primary key); insert into u values (1)`)
  await h.mirror('t', 'u')
  await h.engine.syncNow()
  // Renumbers the rowids of `t`, and tells nobody but the schema version.
  h.database.exec('delete from t where a = 1; vacuum')
  await h.engine.checkSchema()
  h.engine.tables.find('t')!.retryAtMs = Number.POSITIVE_INFINITY
  expect(h.engine.tables.findLive('t')).toBeUndefined()
  h.database.exec('insert into u values (2); update t set a = 20 where a = 2')
  await h.engine.syncNow()
  await h.restart()
  await h.engine.syncNow()
  if (h.engine.tables.findLive('t') === undefined) {
    await h.mirror('t')
  }
  await h.expectEqual('t', 'u')
})
