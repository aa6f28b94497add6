/** Lets timers, sockets and other work of the event loop run before going on. */
export function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
