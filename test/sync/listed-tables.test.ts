import { expect, it } from 'vitest'
import { SyncHarness } from '../support/sync-harness.js'

it('copies a listed table that is created after the engine was opened', async () => {
  const harness = await SyncHarness.open()
  await harness.engine.close()
  await harness.start({ tables: ['early', 'late'] })
  await harness.engine.syncNow()
  harness.database.exec(
    'create table early (id integer primary key, n); insert into early values (1, 2)',
  )
  await harness.engine.checkSchema()
  await harness.engine.waitForCopies(['early', 'late'], 10_000)
  expect(harness.state('early')).toBe('live')
  expect(harness.state('late')).toBe('refused')
  harness.database.exec('create table late (id integer primary key)')
  await harness.engine.checkSchema()
  await harness.engine.waitForCopies(['late'], 10_000)
  await harness.expectEqual('early', 'late')
})
