import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BothEngines } from './both-engines.js'
import { Random } from './random/random.js'

// The corpus lies outside the repository; the long form runs every query instead of a sample.
const dataFolder =
  process.env['KYSELY_HTAP_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data')
const corpus = resolve(dataFolder, 'sqllogictest')
const share = process.env['HTAP_DIFFERENTIAL_QUERIES'] === undefined ? 0.004 : 1
const files = existsSync(corpus)
  ? readdirSync(corpus).filter((name) => name.endsWith('.test.gz'))
  : []

describe.skipIf(files.length === 0)(`sqllogictest in ${corpus}`, () => {
  const counts = { same: 0, kept: 0, raised: 0, invalid: 0 }
  const reasons = new Map<string, number>()
  let engines: BothEngines

  beforeAll(() => {
    if (files.length === 0) {
      console.log(`skipped: no sqllogictest corpus in ${corpus}`)
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
      for (const record of records(resolve(corpus, file))) {
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
  console.log(`skipped: no sqllogictest corpus in ${corpus}`)
})

function runs(engines: BothEngines, sql: string): boolean {
  try {
    engines.db.exec(sql)
    return true
  } catch {
    return false
  }
}

interface TestRecord {
  readonly kind: 'statement' | 'query'
  readonly sql: string
}

function records(path: string): readonly TestRecord[] {
  const text = gunzipSync(readFileSync(path)).toString('utf8').replaceAll('\r', '')
  return text.split(/\n\n+/).flatMap((block): readonly TestRecord[] => {
    const lines = block.split('\n').filter((line) => !line.startsWith('#'))
    const skipped = lines.some(
      (line) => /^skipif sqlite/.test(line) || /^onlyif (?!sqlite)/.test(line),
    )
    const at = lines.findIndex((line) => /^(statement|query)\b/.test(line))
    if (skipped || at < 0) {
      return []
    }
    const end = lines.indexOf('----')
    const sql = lines.slice(at + 1, end < 0 ? undefined : end).join('\n')
    return [{ kind: lines[at]!.startsWith('query') ? 'query' : 'statement', sql }]
  })
}
