import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

// A short life of a database, again and again; each time another call to an engine or to a file
// fails: once or from then on, before it has done anything or after. No statement of the user may fail
// or get another answer, and the mirror and the history must heal, in the process or with the next one.
// HTAP_FAULT_STEP=1 makes every call fail in turn, until one life goes by untouched; a greater number
// leaves calls out; without it a few calls fail, other ones with every HTAP_SEED. HTAP_FAULT_LIFE names
// the one life that is lived.
const step = repetitions('HTAP_FAULT_STEP', 0)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
/** About as many calls as each life makes. */
const callsOfLife = { mirror: 600, history: 3000 }
const casesPerProcess = 50
const armed = fileURLToPath(new URL('../children/arm-faults.mjs', import.meta.url))

const allKinds = [
  ['once', 'before'],
  ['once', 'after'],
  ['ever', 'before'],
  ['ever', 'after'],
] as const
const lives = (['mirror', 'history'] as const).filter(
  (life) => life === (process.env['HTAP_FAULT_LIFE'] ?? life),
)
const kinds = lives.flatMap((life) => allKinds.map((kind) => [life, ...kind] as const))
const chosen = step > 0 ? kinds : kinds.filter((_, index) => (index + seed) % 2 === 0)

it.each(chosen)(
  `should heal the %s when a call fails %s, %s its work is done (seed ${seed})`,
  {
    timeout: 36_000_000,
  },
  async (life, mode, moment) => {
    const folder = tempFolder()
    let first = step > 0 ? 1 : 1 + (((seed + moment.length) * 7919) % callsOfLife[life])
    let cases = 0
    for (let isTouched = true; isTouched; cases++) {
      const count = step > 0 ? casesPerProcess : 1
      const path = join(folder, String(cases))
      const child = new Child(
        'fault-sweep.mjs',
        [life, path, mode, moment, first, Math.max(1, step), count].map(String),
        { NODE_OPTIONS: `--import ${armed}` },
      )
      const { code } = await child.ended()
      const lines = child.remainingLines()
      expect(code, `${lines.join('\n')}\n${child.errors}`).toBe(0)
      expect(lines.filter((line) => line.startsWith('case'))).not.toEqual([])
      isTouched = step > 0 && !lines.some((line) => line.startsWith('untouched'))
      first += count * step
    }
  },
)

// Each was once a failure of the sweep: the calls that count, and which of them fails.
it.each([
  ['a commit of changes is done and its answer lost', 'duckdb.query update _htap_state', 'once', 2],
  ['an answer cannot be read to its end', 'duckdb.fetch_chunk', 'once', 36],
] as const)('should heal when %s', { timeout: 120_000 }, async (_, calls, mode, call) => {
  const child = new Child(
    'fault-sweep.mjs',
    ['mirror', join(tempFolder(), 'case'), mode, 'after', call, 1, 1].map(String),
    { NODE_OPTIONS: `--import ${armed}`, HTAP_FAULT_CALLS: calls },
  )
  const { code } = await child.ended()
  expect(code, `${child.remainingLines().join('\n')}\n${child.errors}`).toBe(0)
})
