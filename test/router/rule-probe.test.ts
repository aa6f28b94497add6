import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import { HtapDialect, htap } from '../../dist/dialect/index.js'
import type { Rule } from '../../dist/dialect/translate/rules/rule.js'
import { ruleId } from '../../dist/dialect/translate/rules/rule.js'
import { ruleTable } from '../../dist/dialect/translate/rules/rule-table.js'
import type { Typed } from '../../dist/dialect/translate/typed.js'

// When the first mirror of a process opens, the examples of all rules run through both engines.

interface DB {
  t: { id: number; s: string }
}

const open: Kysely<DB>[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.destroy()))
})

function connect(): Kysely<DB> {
  const database = new Database(':memory:')
  database.exec(
    "create table t(id integer primary key, s text); insert into t(s) values ('Ab'), ('cD')",
  )
  const db = new Kysely<DB>({ dialect: new HtapDialect({ database, routing: 'duckdb' }) })
  open.push(db)
  return db
}

async function upperCounts(db: Kysely<DB>): Promise<unknown> {
  const { rows } =
    await sql`select upper(s) as u, count(*) as n from t group by u order by u`.execute(db)
  return rows
}

describe('the probe of the rules', () => {
  it('switches off a rule that computes something else, and SQLite answers', async () => {
    const rule = ruleTable.find((it) => it.name === 'upper') as Rule & {
      apply: (operands: readonly Typed[]) => Typed
    }
    const { apply } = rule
    rule.apply = (operands) => {
      const value = apply(operands)
      return { ...value, sql: `(${value.sql} || '!')` }
    }
    try {
      const db = connect()
      expect(await upperCounts(db)).toEqual([
        { u: 'AB', n: 1 },
        { u: 'CD', n: 1 },
      ])
      const status = await htap(db).status()
      expect(status.disabledRules).toEqual([ruleId(rule)])
      expect(status.routes.sqlite).toMatchObject({ [`rule switched off: ${ruleId(rule)}`]: 1 })
    } finally {
      rule.apply = apply
    }
  })
})
