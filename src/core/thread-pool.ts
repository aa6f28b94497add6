import { Piscina } from 'piscina'

/**
 * A pool of threads that begin with the first task, end when idle, and keep no process alive.
 *
 * @param file a URL of the code that they run
 * @param onUnfit the code cannot be loaded, as in a bundle that left it out: every task is refused
 */
export function createThreadPool(
  file: URL,
  options: {
    readonly maxThreads: number
    readonly idleTimeout: number
    readonly workerData?: unknown
  },
  onUnfit: () => void,
): Piscina {
  const ready = new Set<number>()
  const pool = new Piscina({
    ...options,
    filename: file.href,
    minThreads: 0,
    concurrentTasksPerWorker: 1,
    // A thread that blocks in Atomics.wait between tasks would not deliver its last messages.
    atomics: 'disabled',
  })
  pool.on('workerCreate', ({ id }: { readonly id: number }) => ready.add(id))
  readyThreads.set(pool, ready)
  // Unheard, this would end the process; and tasks would wait for a thread that never comes.
  pool.on('error', () => {
    onUnfit()
    void pool.destroy()
  })
  return pool
}

/** By their numbers. */
const readyThreads = new WeakMap<Piscina, ReadonlySet<number>>()

/**
 * Ends the threads of a pool, and what they are at. One that is still starting is waited for: whoever ends a
 * thread while it loads native code may end the process (seen with Node 22 and better-sqlite3 13).
 */
export async function endThreadPool(pool: Piscina): Promise<void> {
  const ready = readyThreads.get(pool)
  while (pool.threads.some(({ threadId }) => threadId >= 0 && ready?.has(threadId) === false)) {
    // A timer keeps the process alive, as a thread does not.
    await new Promise<void>((resolve) => {
      setTimeout(resolve, startingPollMs)
    })
  }
  await pool.destroy()
}

const startingPollMs = 5
