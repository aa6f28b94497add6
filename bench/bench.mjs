// Ratios of the product against what it must not fall behind, each measured side by side in one
// run: `npm run bench -- [--quick] [--strict] [--memory] [--list] [name ...]`.
import { parseArgs } from 'node:util'
import { applyChanges } from './apply-changes.mjs'
import { capture } from './capture.mjs'
import { demoQueries } from './demo-queries.mjs'
import { firstCopy, firstCopyMemory } from './first-copy.mjs'
import { keyLookup } from './key-lookup.mjs'
import { loneWrite } from './lone-write.mjs'
import { olapRows } from './olap-rows.mjs'
import { statementOverhead } from './statement-overhead.mjs'
import { temporal } from './temporal.mjs'
import { translation } from './translation.mjs'

const benches = {
  'key-lookup': keyLookup,
  capture,
  'first-copy': firstCopy,
  'lone-write': loneWrite,
  'apply-changes': applyChanges,
  'olap-rows': olapRows,
  'demo-queries': demoQueries,
  temporal,
  translation,
  'statement-overhead': statementOverhead,
  'first-copy-memory': firstCopyMemory,
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(
    `no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`,
  )
  process.exit(2)
}
if (options.list) {
  console.log(Object.keys(benches).join('\n'))
  process.exit(0)
}
const isWanted = (name) =>
  positionals.length > 0
    ? positionals.includes(name)
    : name !== 'first-copy-memory' || options.memory

let missed = 0
for (const [name, run] of Object.entries(benches).filter(([it]) => isWanted(it))) {
  console.log(`\n${name}`)
  for (const result of await run({ quick: options.quick })) {
    missed += result.isMet ? 0 : 1
    console.log(`  ${describe(result)}`)
  }
}
console.log(missed === 0 ? '\nEvery bound is met.' : `\n${missed} missed.`)
process.exitCode = options.strict && missed > 0 ? 1 : 0

function describe({ what, value, bound, sign, isMet, figures }) {
  const verdict = bound === null ? '    ' : isMet ? 'PASS' : 'MISS'
  const limit = bound === null ? '' : ` (${sign} ${bound})`
  const digits = Math.abs(value) >= 1000 ? 0 : 2
  return `${verdict}  ${what}: ${value.toFixed(digits)}${limit}; ${figures}`
}
