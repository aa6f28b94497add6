import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProbeTable } from '../../dist/dialect/translate/rules/probe-table.js'
import type { Rule } from '../../dist/dialect/translate/rules/rule.js'
import { ruleId } from '../../dist/dialect/translate/rules/rule.js'
import { ruleTable } from '../../dist/dialect/translate/rules/rule-table.js'
import type { Typed } from '../../dist/dialect/translate/typed.js'
import { BothEngines, type Outcome } from './both-engines.js'
import { Random } from './random/random.js'

// Every rule keeps what it promises for its examples, and its examples notice when it is broken.

let engines: BothEngines

beforeAll(async () => {
  engines = await BothEngines.open()
  engines.db.exec(createProbeTable)
  await engines.copy(new Random(1))
})

afterAll(() => engines.close())

function statementOf(rule: Rule, example: string): string {
  return rule.kind === 'aggregate'
    ? `select ${example} as x from p`
    : `select n, ${example} as x from p order by n`
}

async function outcomes(rule: Rule, examples: readonly string[]): Promise<Outcome['kind'][]> {
  const found: Outcome['kind'][] = []
  for (const example of examples) {
    found.push((await engines.check(statementOf(rule, example))).kind)
  }
  return found
}

describe.each(ruleTable.map((rule) => [ruleId(rule), rule] as const))('%s', (_, rule) => {
  test('gives the same in both engines', async () => {
    expect(rule.examples.length).toBeGreaterThan(0)
    for (const example of rule.examples) {
      const outcome = await engines.check(statementOf(rule, example))
      expect(outcome, example).toMatchObject({ kind: 'same' })
      expect(outcome.kind === 'same' ? outcome.rules : [], example)
    }
  })

  test('is used by its examples', async () => {
    const used = new Set<string>()
    for (const example of rule.examples) {
      const outcome = await engines.check(statementOf(rule, example))
      for (const name of outcome.kind === 'same' ? outcome.rules : []) {
        used.add(name)
      }
    }
    expect([...used]).toContain(ruleId(rule))
  })

  test('refuses what it is not proven for', async () => {
    for (const example of rule.refused ?? []) {
      const { kind } = await engines.check(statementOf(rule, example))
      expect(['kept', 'raised'], example).toContain(kind)
    }
  })

  test('is noticed when it computes something else', async () => {
    const kinds = await broken(
      rule,
      (value) => spoiled(value),
      () => outcomes(rule, rule.examples),
    )
    expect(kinds.filter((kind) => kind !== 'same')).not.toEqual([])
  })

  test.runIf(rule.refused?.length)('is noticed when its guard is gone', async () => {
    const kinds = await broken(
      rule,
      (value) => unguarded(value),
      () => outcomes(rule, rule.refused ?? []),
    )
    expect(kinds).not.toEqual((rule.refused ?? []).map(() => 'same'))
  })
})

test('the page of the rules is up to date (npm run docs:rules)', () => {
  const script = fileURLToPath(new URL('../../bench/translation-page.mjs', import.meta.url))
  expect(spawnSync(process.execPath, [script, '--check']).status).toBe(0)
})

type Change = (value: Typed) => Typed

/** Runs something while every result of the rule is changed. */
async function broken<T>(rule: Rule, change: Change, run: () => Promise<T>): Promise<T> {
  const target = rule as unknown as { apply: (...operands: unknown[]) => unknown }
  const { apply } = target
  target.apply = (...operands) => changed(apply.apply(rule, operands), change)
  try {
    return await run()
  } finally {
    target.apply = apply
  }
}

function changed(result: unknown, change: Change): unknown {
  if (typeof result === 'string') {
    return change({ sql: result, type: 'bool' } as Typed).sql
  }
  if (Array.isArray(result)) {
    return [change(result[0] as Typed), ...result.slice(1)]
  }
  return result === null || result === undefined ? result : change(result as Typed)
}

/** Another value of the same class. */
function spoiled(value: Typed): Typed {
  const sql = {
    null: value.sql,
    bool: `(NOT ${value.sql})`,
    int: `(${value.sql} + 1)`,
    real: `(${value.sql} + 1e0)`,
    num: `(${value.sql} + 1e0)`,
    text: `(${value.sql} || '~')`,
    blob: `(${value.sql} || from_hex('00'))`,
  }[value.type]
  return { ...value, sql }
}

/** Where it would raise, NULL is the answer. */
function unguarded(value: Typed): Typed {
  return { ...value, sql: value.sql.replaceAll("error('keep-on-sqlite')", 'NULL') }
}
