import { expect, it } from 'vitest'
import { createThreadPool, endThreadPool } from '../../dist/src/core/thread-pool.js'

const worker = new URL('../../dist/src/oltp/read-worker.js', import.meta.url)

it('ends a thread that is still starting when it has started, and not before', async () => {
  const pool = createThreadPool(worker, { maxThreads: 1, idleTimeout: 1000 }, () => undefined)
  const events: string[] = []
  pool.on('workerCreate', () => events.push('started'))
  pool.on('workerDestroy', () => events.push('ended'))
  const task = pool.run({}, { name: 'read' }).catch(() => undefined)
  expect(pool.threads).toHaveLength(1)
  await endThreadPool(pool)
  await task
  expect(events).toEqual(['started', 'ended'])
  await endThreadPool(pool)
})
