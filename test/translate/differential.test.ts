import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { repetitions } from '../support/deep.js'
import { mostFrequent, type Report, runCampaign } from './campaign.js'

// `npm run test:differential` runs the long form over several processes, and reads their reports.
const queries = repetitions('HTAP_DIFFERENTIAL_QUERIES', 2000)
const seed = repetitions('HTAP_SEED', 1)
const reportPath = process.env['HTAP_REPORT']

test('random statements give the same rows, order and values in both engines, or stay on SQLite', {
  timeout: 60_000 + queries * 50,
}, async () => {
  const report = await runCampaign({
    queries,
    seed,
    queriesPerSchema: Math.min(200, Math.max(50, queries / 20)),
    differencesMax: reportPath === undefined ? 3 : 20,
    onProgress: save,
  })
  const { counts, kept, raised, invalid, differences } = report
  if (reportPath === undefined) {
    console.log(
      `seed ${seed}: ${JSON.stringify(counts)}\nkept\n${mostFrequent(kept, 20)}\nraised\n${mostFrequent(raised, 10)}\ninvalid\n${mostFrequent(invalid, 5)}`,
    )
  }
  expect(differences.join('\n\n')).toBe('')
  expect(counts.invalid).toBeLessThan(queries / 20)
  expect(counts.same).toBeGreaterThan(queries / 4)
})

let savedAtMs = 0

function save(report: Report, isLast: boolean): void {
  if (reportPath !== undefined && (isLast || performance.now() - savedAtMs > 10_000)) {
    savedAtMs = performance.now()
    writeFileSync(reportPath, JSON.stringify(report))
  }
}
