/**
 * Has `interrupt` called when the process exits, until the returned function is called.
 * `process.exit()` waits for libuv's threads, hence for a running statement to its very end.
 */
export function interruptAtExit(interrupt: () => void): () => void {
  if (interrupts.size === 0) {
    process.on('exit', interruptAll)
  }
  interrupts.add(interrupt)
  return () => {
    interrupts.delete(interrupt)
    if (interrupts.size === 0) {
      process.off('exit', interruptAll)
    }
  }
}

/** One listener for all stores: Node warns of a leak where there are many. */
const interrupts = new Set<() => void>()

function interruptAll(): void {
  for (const interrupt of interrupts) {
    interrupt()
  }
}
