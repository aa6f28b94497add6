import { expect } from 'vitest'

/** Waits until something holds; fails after twenty seconds. */
export async function until(isReached: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!isReached() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(isReached()).toBe(true)
}
