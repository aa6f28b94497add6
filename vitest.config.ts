import { defineConfig } from 'vitest/config'

// Tests import the built package, as users and worker threads do: `npm run build` comes first.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
