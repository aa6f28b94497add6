import type { OlapStore } from '../../src/olap/olap-store.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { isCollecting } from '../translate/rules/collecting-aggregates.js'
import { probeTable } from '../translate/rules/probe-table.js'
import { type Rule, ruleId } from '../translate/rules/rule.js'
import { ruleTable } from '../translate/rules/rule-table.js'
import { translate } from '../translate/translate.js'
import type { Translated } from '../translate/translation.js'
import { ConstantValues } from './constant-values.js'
import { bindConstants } from './parameters.js'
import { readProgram, readQueryPlan, readStatementFacts } from './statement-facts.js'

/** By build of SQLite; DuckDB's is the one that this package depends on. */
const probes = new Map<string, Promise<ReadonlySet<string>>>()

/**
 * The rules about which these builds of SQLite and DuckDB, on this platform, disagree: their
 * examples are computed by both when the first mirror of the process has opened, which takes them
 * some tenths of a second. Such a rule must not be used.
 */
export function probeRules(
  store: OlapStore,
  database: SqliteDatabase,
): Promise<ReadonlySet<string>> {
  const build = String(database.prepare('select sqlite_source_id()').pluck().get())
  const known = probes.get(build)
  if (known !== undefined) {
    return known
  }
  const probe = findDisagreements(store, database)
  probes.set(build, probe)
  // A probe that could not be made is made again.
  probe.catch(() => probes.delete(build))
  return probe
}

async function findDisagreements(
  store: OlapStore,
  database: SqliteDatabase,
): Promise<ReadonlySet<string>> {
  const disabled = new Set<string>()
  for (const kind of new Set(ruleTable.map((rule) => rule.kind))) {
    const rules = ruleTable.filter((rule) => rule.kind === kind)
    // The usual case is agreement about everything; only otherwise the rules are asked one by one.
    if ((await agrees(store, database, statementOf(kind, rules.flatMap(examplesOf)))) !== true) {
      for (const rule of rules) {
        if ((await agrees(store, database, statementOf(kind, examplesOf(rule)))) === false) {
          disabled.add(ruleId(rule))
        }
      }
    }
  }
  return disabled
}

/** A common table has no scan whose order could be read off a plan. */
function examplesOf(rule: Rule): readonly string[] {
  return isCollecting(rule.name)
    ? rule.examples.filter((example) => example.includes('order by'))
    : rule.examples
}

function statementOf(kind: Rule['kind'], examples: readonly string[]): string {
  const items = examples.map((example) => `, ${example}`).join('')
  return kind === 'aggregate'
    ? `with ${probeTable} select count(*)${items} from p`
    : `with ${probeTable} select n${items} from p order by n`
}

function translated(database: SqliteDatabase, sql: string): Translated | null {
  const constants = new ConstantValues(database, [])
  try {
    const translation = translate(sql, {
      findTable: () => ({ refused: 'is not part of the probe' }),
      parameterTypes: [],
      parameterValues: [],
      evaluate: (sources) => sources.map((source) => constants.of(source)),
      disabledRules: new Set(),
      columnNames: readStatementFacts(database, sql).columnNames,
      integers: 'number',
      queryPlan: () => readQueryPlan(database, sql, []),
      program: () => readProgram(database, sql, []),
    })
    return translation.kind === 'translated' ? translation : null
  } catch {
    // An older SQLite lacks the function: nothing that it accepts can need the rule.
    return null
  }
}

/**
 * Whether both engines give the same rows; a raise of DuckDB is no agreement. Null where the
 * statement would not be sent to DuckDB.
 */
async function agrees(
  store: OlapStore,
  database: SqliteDatabase,
  sql: string,
): Promise<boolean | null> {
  const translation = translated(database, sql)
  if (translation === null) {
    return null
  }
  const parameters = bindConstants(translation.parameters, new ConstantValues(database, []))
  const columnNames = readStatementFacts(database, sql).columnNames.map((_, i) => `c${i}`)
  const expected = database.prepare(sql).raw().safeIntegers(false).all() as unknown[][]
  try {
    const statement = { sql: translation.sql, parameters }
    const rows = await store.rows(statement, { columnNames, integers: 'number', signal: undefined })
    return (
      rows.length === expected.length &&
      rows.every((row, i) =>
        Object.values(row).every((value, j) => isSame(value, expected[i]?.[j])),
      )
    )
  } catch {
    // A store that answers nothing tells nothing of the rule.
    await store.rows(plainest, { columnNames: ['c0'], integers: 'number', signal: undefined })
    return false
  }
}

const plainest = { sql: 'SELECT 1 AS c0', parameters: [] }

function isSame(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array
    ? Buffer.compare(a, b) === 0
    : Object.is(a, b)
}
