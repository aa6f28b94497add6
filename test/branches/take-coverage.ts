import { takeCoverage } from 'node:v8'
import { afterAll } from 'vitest'

// A test's process is ended from outside, so it would take what it ran with it.
afterAll(() => takeCoverage())
