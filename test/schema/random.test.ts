import { expect, it } from 'vitest'
import { repetitions } from '../support/deep.js'
import { Random } from '../translate/random/random.js'
import { randomStep, type Step } from './random/random-change.js'
import { runScript } from './random/script-run.js'
import { shrinkScript } from './random/shrink-script.js'

// Random schema changes and writes from two connections, with strong queries before, beside and after
// each, compared with a stock connection. HTAP_SCHEMA_SCRIPTS sets how many scripts of 30 steps are
// run, HTAP_SEED repeats a run.
const scripts = repetitions('HTAP_SCHEMA_SCRIPTS', 2)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
const stepsPerScript = 30

it(`gives SQLite's answers through ${scripts} scripts of random changes (seed ${seed})`, {
  timeout: 3_600_000,
}, async () => {
  let routed = 0
  for (let script = 0; script < scripts; script++) {
    const random = new Random(seed + script)
    let left = stepsPerScript
    const result = await runScript((database) => (left-- > 0 ? randomStep(random, database) : null))
    routed += result.routed
    if (result.failure !== null) {
      const shortest = await shrinkScript(result.steps, async (steps) => {
        return (await replay(steps)).failure !== null
      })
      const { failure } = await replay(shortest)
      const report = { seed: seed + script, steps: shortest, failure: failure ?? result.failure }
      expect.fail(JSON.stringify(report, null, 1))
    }
  }
  expect(routed).toBeGreaterThan(scripts * stepsPerScript)
})

function replay(steps: readonly Step[]) {
  let at = 0
  return runScript(() => steps[at++] ?? null)
}
