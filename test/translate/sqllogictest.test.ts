import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { corpusFiles, corpusFolder, readRecords } from '../support/sqllogictest.js'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// The translator alone, much quicker than the whole dialect, which test/differential asks. The long
// form, HTAP_SQLLOGIC=all, runs every query instead of a sample.
const share = process.env['HTAP_SQLLOGIC'] === 'all' ? 1 : 0.004
const files = corpusFiles()

describe.skipIf(files.length === 0)(`sqllogictest in ${corpusFolder}`, () => {
  const counts = { same: 0, kept: 0, raised: 0, invalid: 0 }
  const reasons = new Map<string, number>()
  let engines: BothEngines

  beforeAll(() => {
    if (files.length === 0) {
      console.log(`skipped: no sqllogictest corpus in ${corpusFolder}`)
    }
  })

  afterAll(() => {
    console.log(counts, new Map([...reasons].sort((a, b) => b[1] - a[1]).slice(0, 15)))
  })

  test.each(files)('%s', { timeout: 3_600_000 }, async (file) => {
    const random = new Random(file.length)
    engines = await BothEngines.open()
    try {
      let changed = true
      for (const record of readRecords(file)) {
        if (record.kind === 'statement') {
          changed = runs(engines, record.sql) || changed
          continue
        }
        if (!random.chance(share)) {
          continue
        }
        if (changed) {
          await engines.copy(random)
          changed = false
        }
        const outcome = await engines.check(record.sql)
        expect(outcome, record.sql).not.toMatchObject({ kind: 'different' })
        if (outcome.kind !== 'different') {
          counts[outcome.kind] += 1
        }
        if (outcome.kind === 'kept') {
          reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1)
        }
        if (outcome.kind === 'raised') {
          const message = outcome.message.slice(0, 60)
          reasons.set(message, (reasons.get(message) ?? 0) + 1)
        }
      }
    } finally {
      await engines.close()
    }
  })
})

test.runIf(files.length === 0)('the sqllogictest corpus is absent', () => {
  console.log(`skipped: no sqllogictest corpus in ${corpusFolder}`)
})

function runs(engines: BothEngines, sql: string): boolean {
  try {
    engines.db.exec(sql)
    return true
  } catch {
    return false
  }
}
