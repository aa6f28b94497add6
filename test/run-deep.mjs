// A deep test in its long form, with options instead of environment variables.
//
//   npm run test:crash -- --kills 1000 --point-kills 20 --seed 7
//   npm run test:faults -- --step 1 --life history
//   npm run test:history -- --transactions 100000
//   npm run test:model -- --operations 1000000
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** For each campaign: its tests, and its options with the variable and the value of the long form. */
const campaigns = {
  crash: {
    tests: 'test/crash',
    options: { kills: ['HTAP_KILLS', '1000'], 'point-kills': ['HTAP_POINT_KILLS', '20'] },
  },
  faults: {
    tests: 'test/faults',
    options: { step: ['HTAP_FAULT_STEP', '1'], life: ['HTAP_FAULT_LIFE', undefined] },
  },
  history: {
    tests: 'test/consistency/history.test.ts',
    options: { transactions: ['HTAP_TRANSACTIONS', '100000'] },
  },
  model: { tests: 'test/model', options: { operations: ['HTAP_OPERATIONS', '1000000'] } },
}

const [name, ...args] = process.argv.slice(2)
const campaign = campaigns[name]
if (campaign === undefined) {
  throw new Error(`no campaign ${name}; there are ${Object.keys(campaigns).join(', ')}`)
}
const all = { seed: ['HTAP_SEED', undefined], ...campaign.options }
const { values } = parseArgs({
  args,
  options: Object.fromEntries(Object.keys(all).map((option) => [option, { type: 'string' }])),
})
const environment = Object.entries(all).flatMap(([option, [variable, preset]]) => {
  const value = values[option] ?? process.env[variable] ?? preset
  return value === undefined ? [] : [[variable, value]]
})
const vitest = join('node_modules', 'vitest', 'vitest.mjs')
const child = spawn(
  process.execPath,
  [vitest, 'run', campaign.tests, '--testTimeout', '36000000'],
  {
    env: { ...process.env, ...Object.fromEntries(environment) },
    stdio: 'inherit',
  },
)
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
