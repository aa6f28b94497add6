import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ConstantValues } from '../dist/dialect/router/constant-values.js'
import { parameterTypes } from '../dist/dialect/router/parameters.js'
import {
  columnsOf,
  planText,
  TranslationCache,
  translationKey,
} from '../dist/dialect/router/translation-cache.js'
import { parseSelect } from '../dist/dialect/translate/parse/parse-select.js'
import { translate } from '../dist/dialect/translate/translate.js'
import { compiledCorpus } from './corpus/compiled-corpus.mjs'
import { corpora } from './corpus/corpora.mjs'
import { atMost, median, noted, quantile } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/**
 * SQL text to SQL text over the queries of the corpora that DuckDB may answer: the first time, and
 * when it is remembered. What SQLite tells (plan, constants) is read beforehand.
 */
export async function translation({ quick }) {
  const rounds = quick ? 50 : 300
  const times = []
  for (const corpus of corpora) {
    times.push(
      ...(await inScratchFolder((folder) =>
        measureCorpus(corpus, join(folder, 'corpus.db'), rounds),
      )),
    )
  }
  const cold = times.map((query) => query.coldMs * 1000)
  const fixed = times.filter((query) => !query.isFromPlan).map((query) => query.cachedMs * 1000)
  const planned = times.filter((query) => query.isFromPlan).map((query) => query.cachedMs * 1000)
  const worst = `${times.length} queries, nine in ten below ${quantile(cold, 0.9).toFixed(0)} us`
  return [
    atMost(150, 'translation, median over the corpora, us', median(cold), worst),
    atMost(3, 'the same from the cache, us', median(fixed), `${fixed.length} queries`),
    noted(
      'from the cache where the order follows the plan, us',
      median(planned),
      `${planned.length} queries, the plan read anew each time`,
    ),
  ]
}

async function measureCorpus(corpus, path, rounds) {
  if ((corpus.absence?.() ?? null) !== null) {
    return []
  }
  const { tables, queries } = compiledCorpus(corpus, path, { rows: 2000 })
  const { engine, copy } = await openEngine(path)
  await copy(...tables)
  const database = new Database(path, { readonly: true })
  try {
    return queries.flatMap((query) => measureQuery(query, engine, database, rounds) ?? [])
  } finally {
    database.close()
    await engine.close()
  }
}

/** Null for a query that stays on SQLite. */
function measureQuery({ sql, parameters }, engine, database, rounds) {
  const parsed = parseSelect(sql)
  if (parsed.kind !== 'select' || !parsed.summary.analytic) {
    return null
  }
  const constants = new ConstantValues(database, parameters)
  const plan = database.prepare(`explain query plan ${sql}`).all(...parameters)
  const program = database.prepare(`explain ${sql}`).all(...parameters)
  const types = parameterTypes(parameters)
  const context = {
    findTable: (name) => engine.tables.findLive(name) ?? { refused: 'unknown' },
    parameterTypes: types,
    parameterValues: parameters,
    evaluate: (sources) => sources.map((source) => constants.of(source)),
    disabledRules: new Set(),
    columnNames: database
      .prepare(sql)
      .columns()
      .map((column) => column.name),
    integers: 'number',
    queryPlan: () => plan,
    program: () => program,
  }
  const found = translate(sql, context)
  if (found.kind !== 'translated') {
    return null
  }
  const tables = found.tables.map((name) => engine.tables.findLive(name))
  const cache = new TranslationCache()
  const key = () => translationKey(sql, types, 'number', 1)
  const isFromPlan = found.order === 'plan'
  cache.add(key(), {
    translation: found,
    columns: columnsOf(tables),
    planText: isFromPlan ? planText(plan) : null,
    refusal: null,
  })
  const readPlan = () => planText(database.prepare(`explain query plan ${sql}`).all(...parameters))
  return {
    isFromPlan,
    coldMs: sample(rounds, () => translate(sql, context)),
    cachedMs: sample(rounds, () => cache.find(key(), tables, constants, readPlan)),
  }
}

function sample(rounds, action) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    action()
    times.push(performance.now() - startMs)
  }
  return median(times)
}
