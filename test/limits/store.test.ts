import { expect, it } from 'vitest'
import type { ColumnKind } from '../../dist/src/core/column-batch.js'
import { limits } from '../../dist/src/core/limits.js'
import { longStatement, oneColumn, openStore } from '../olap/stores.js'
import { TestWorld } from '../support/test-world.js'

// What happens at the limits of the column store; `test/olap` has more of them.

it('writes the row groups of a transaction with its commit, however many', async () => {
  const { writer } = await openStore()
  const rows = await writer.values(`select name, value from duckdb_settings()
    where name like 'write_buffer_row_group%' order by name`)
  const bytes = 1e12 / 2 ** 30
  expect(rows).toEqual([
    ['write_buffer_row_group_count', String(limits.unwrittenRowGroupsMax)],
    ['write_buffer_row_group_memory_limit', `${bytes.toFixed(1)} GiB`],
  ])
  expect(limits.unwrittenRowGroupMemoryMax).toBe('1TB')
})

it('keeps a bounded number of chunks for reuse', async () => {
  const world = new TestWorld()
  const { writer } = await openStore()
  let made = 0
  world.onDuckDb = (name) => {
    made += name === 'create_data_chunk' ? 1 : 0
  }
  /** A table of so many columns takes a chunk of its own. */
  const use = async (columns: number): Promise<number> => {
    const names = Array.from({ length: columns }, (_, index) => `c${index} bigint`)
    await writer.execute(`create or replace table t${columns}(${names.join(', ')})`)
    const target = { catalog: null, schema: 'main', table: `t${columns}` }
    const before = made
    const kinds: ColumnKind[] = names.map(() => 'int64')
    const appender = await writer.appender(target, kinds)
    appender.close()
    return made - before
  }
  const tables = Array.from({ length: limits.chunkBuffersMax + 8 }, (_, index) => index + 1)
  for (const columns of tables) {
    expect(await use(columns)).toBe(1)
  }
  const reused: number[] = []
  for (const columns of tables) {
    if ((await use(columns)) === 0) {
      reused.push(columns)
    }
  }
  // The store's own test of its appender has left one.
  expect(reused).toEqual(tables.slice(0, limits.chunkBuffersMax - 1))
})

it('interrupts again until the statement has heard it, and not after', async () => {
  const world = new TestWorld()
  const store = await openStore()
  let interrupts = 0
  const abort = new AbortController()
  world.onDuckDb = (name) => {
    if (name === 'interrupt') {
      interrupts++
    } else if (name === 'query') {
      // DuckDB has not begun, and comes to it only later: it forgets the first one.
      abort.abort(new Error('enough'))
      return new Promise((resolve) => setTimeout(resolve, 10 * limits.interruptRetryMs))
    }
    return undefined
  }
  await expect(store.rows(longStatement, { ...oneColumn, signal: abort.signal })).rejects.toThrow(
    'enough',
  )
  expect(interrupts).toBe(1)
  // Its connection is free again, so it has ended.
  await store.close()
  expect(interrupts).toBeGreaterThan(1)
  const after = interrupts
  await new Promise((resolve) => setTimeout(resolve, 5 * limits.interruptRetryMs))
  expect(interrupts).toBe(after)
})
