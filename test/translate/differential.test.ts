import { expect, test } from 'vitest'
import { repetitions } from '../support/deep.js'
import { mostFrequent, runCampaign } from './campaign.js'

// `npm run test:differential` runs the long form over several processes.
const queries = repetitions('HTAP_DIFFERENTIAL_QUERIES', 2000)
const seed = repetitions('HTAP_DIFFERENTIAL_SEED', 1)

test('random statements give the same rows, order and values in both engines, or stay on SQLite', {
  timeout: 60_000 + queries * 50,
}, async () => {
  const { counts, kept, raised, invalid, differences } = await runCampaign({
    queries,
    seed,
    queriesPerSchema: 100,
    differencesMax: 3,
  })
  console.log(
    `seed ${seed}: ${JSON.stringify(counts)}\nkept\n${mostFrequent(kept, 40)}\nraised\n${mostFrequent(raised, 10)}\ninvalid\n${mostFrequent(invalid, 10)}`,
  )
  expect(differences.join('\n\n')).toBe('')
  expect(counts.invalid).toBeLessThan(queries / 20)
  expect(counts.same).toBeGreaterThan(queries / 4)
})
