import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ColumnKind } from '../../dist/src/core/column-batch.js'
import { batchOf } from './batches.js'
import { openStore, temporaryFolder } from './stores.js'

it('writes the row groups of a large transaction with its commit, not with an append', async () => {
  const { writer } = await openStore({ path: join(temporaryFolder(), 'large.duckdb') })
  const kinds: readonly ColumnKind[] = ['int64', 'float64', 'utf8']
  await writer.execute('create table t (i bigint, f double, t varchar); begin')
  const rows = Array.from({ length: 2048 }, (_, i) => [BigInt(i), i / 7, `row number ${i * 7919}`])
  const batch = batchOf(kinds, rows)
  const appender = await writer.appender({ catalog: null, schema: 'main', table: 't' }, kinds)
  const flushMs: number[] = []
  for (let slice = 0; slice < 100; slice++) {
    for (let i = 0; i < 4; i++) {
      appender.append(batch)
    }
    const startMs = performance.now()
    appender.flush()
    flushMs.push(performance.now() - startMs)
  }
  appender.close()
  const startMs = performance.now()
  await writer.execute('commit')
  const commitMs = performance.now() - startMs
  expect(Math.max(...flushMs)).toBeLessThan(commitMs)
  expect(await writer.values('select count(*) from t')).toEqual([[819_200n]])
})
