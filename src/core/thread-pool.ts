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
  const pool = new Piscina({
    ...options,
    filename: file.href,
    minThreads: 0,
    concurrentTasksPerWorker: 1,
    // A thread that blocks in Atomics.wait between tasks would not deliver its last messages.
    atomics: 'disabled',
  })
  // Unheard, this would end the process; and tasks would wait for a thread that never comes.
  pool.on('error', () => {
    onUnfit()
    void pool.destroy()
  })
  return pool
}
