import { defineConfig } from 'vitest/config'

// While branches are counted, the built code must run as it is: `test/branches`.
const counting = {
  setupFiles: ['test/branches/take-coverage.ts'],
  server: { deps: { external: [/\/dist\//] } },
}

// Tests import the built package, as users and worker threads do: `npm run build` comes first.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    ...(process.env['NODE_V8_COVERAGE'] === undefined ? {} : counting),
  },
})
